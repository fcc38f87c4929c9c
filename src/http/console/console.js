
"use strict";
(() => {
  const river = document.getElementById("river");
  const article = document.querySelector("[data-incident]"), state = document.getElementById("state");
  const MOST = 120;
  const put = (parent, name, text, set) => {
    const node = parent.appendChild(document.createElement(name));
    node.textContent = text;
    return Object.assign(node, set);
  };
  const flow = news => {
    const item = document.createElement("li");
    item.className = news.outcome + " new";
    put(item, "time", news.at, { dateTime: news.iso });
    item.append(" ");
    put(item, "b", news.reason);
    item.append(" ");
    put(item, "a", news.series, { href: "/series/" + news.key });
    item.append(" ");
    put(item, "span", news.because);
    const calm = river.scrollTop < 8;
    river.querySelector(".none")?.remove();
    river.prepend(item);
    while (river.children.length > MOST) river.lastChild.remove();
    if (!calm) river.scrollTop += item.offsetHeight;
  };
  // What changed is fetched as the page that it is: there is one way to draw it.
  const parts = article ? ["[data-incident]"] : ["#head", "#cards", "#heard"];
  const renew = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = page.title;
    for (const name of parts) {
      const part = document.querySelector(name), fresh = page.querySelector(name);
      // Nobody loses what they are typing.
      const active = part.contains(document.activeElement) ? document.activeElement : null;
      if (!fresh || active?.matches("input,select")) continue;
      // Nor their place, nor what they opened and closed.
      const reach = () => [...part.querySelectorAll("a,button,summary")], opened = () => [...part.querySelectorAll("details")];
      const place = reach().indexOf(active), open = opened().map(one => one.open), card = at();
      part.replaceChildren(...fresh.childNodes);
      opened().forEach((one, number) => { if (number in open) one.open = open[number]; });
      list()[card]?.classList.add("at");
      if (place >= 0) reach()[place]?.focus({ preventScroll: true });
    }
  };
  let due = 0;
  const soon = (wait = 400) => {
    if (!due) due = setTimeout(() => { due = 0; renew(); }, wait);
  };
  if (river || article) {
    const from = river ? river.dataset.next : "now";
    const live = new EventSource("/live?from=" + from);
    const says = state.textContent, looks = state.className;
    live.addEventListener("open", () => { state.textContent = says; state.className = looks; });
    live.addEventListener("error", () => { state.textContent = "no connection: what you see may be old"; state.className = "state lost"; });
    live.addEventListener("verdict", event => {
      const news = JSON.parse(event.data);
      if (river) flow(news);
      // The sums move with every event, the incidents only with some.
      if (!article) soon(news.outcome === "page" ? 400 : 3000);
      else if (String(news.incident) === article.dataset.incident) soon();
    });
    live.addEventListener("incident", event => {
      if (!article || event.data === article.dataset.incident) soon();
    });
  }
  const list = () => [...document.querySelectorAll(".card")];
  const at = () => list().findIndex(card => card.classList.contains("at"));
  const go = step => {
    const all = list();
    if (!all.length) return;
    const next = Math.max(0, Math.min(all.length - 1, at() + step));
    all.forEach((card, place) => card.classList.toggle("at", place === next));
    all[next].querySelector("a").focus();
  };
  document.addEventListener("keydown", event => {
    if (event.target.matches("input,select,textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); document.querySelector(".find input").focus(); }
    else if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "a") (document.querySelector(".card.at form button") || document.querySelector(".acts .first"))?.click();
  });
})();
