
"use strict";
(() => {
  const run = document.getElementById("run"), tip = document.getElementById("tip");
  if (!run) return;
  let on = null;
  const hide = () => { if (on) on.classList.remove("on"); on = null; tip.hidden = true; };
  const show = (part, x, y) => {
    if (on !== part) { hide(); on = part; part.classList.add("on"); tip.textContent = part.dataset.t; tip.hidden = false; }
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - box.width - 8)) + "px";
    tip.style.top = (y + 18 + box.height > innerHeight ? Math.max(8, y - box.height - 12) : y + 18) + "px";
  };
  const beside = part => { const box = part.getBoundingClientRect(); show(part, box.left, box.bottom - 10); };
  run.addEventListener("pointermove", event => {
    const part = event.target.closest("[data-t]");
    if (part) show(part, event.clientX, event.clientY); else hide();
  });
  run.addEventListener("pointerleave", hide);
  run.addEventListener("focusin", event => {
    const part = event.target.closest("[data-t]") || event.target.querySelector("[data-t]");
    if (part && event.target.matches(":focus-visible")) beside(part);
  });
  run.addEventListener("focusout", hide);
  // In a lane the arrow keys go from stretch to stretch.
  run.addEventListener("keydown", event => {
    if (event.key === "Escape") return hide();
    const lane = event.target.closest(".lane"), step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!lane || !step) return;
    const parts = [...lane.querySelectorAll("[data-t]")];
    const next = parts[Math.max(0, Math.min(parts.length - 1, parts.indexOf(on) + step))];
    if (next) { event.preventDefault(); beside(next); }
  });
})();
