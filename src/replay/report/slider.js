"use strict";
(() => {
  const run = document.getElementById("run");
  const slider = document.getElementById("bits"), chosen = document.getElementById("chosen");
  const own = Number(slider.dataset.own), inForce = chosen.textContent;
  const choose = () => {
    const place = Number(slider.value), step = place === own ? -1 : place < own ? place : place - 1;
    let says = inForce, lost = [];
    for (const part of document.querySelectorAll(".step")) {
      const mine = Number(part.dataset.step) === step;
      if (mine) part.removeAttribute("hidden"); else part.setAttribute("hidden", "hidden");
      if (mine && part.dataset.says) { says = part.dataset.says; lost = part.dataset.lost.split(" "); }
    }
    for (const mark of run.querySelectorAll(".page")) mark.classList.toggle("gone", lost.includes(mark.id.slice(5)));
    chosen.textContent = says;
    slider.setAttribute("aria-valuetext", says);
  };
  slider.addEventListener("input", choose);
  choose();
})();
