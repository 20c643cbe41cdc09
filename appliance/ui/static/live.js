// Keeps a page true: one stream of server-sent events with the elements that changed, each replaced only if it differs.
// The page names its views in <body data-live="board station:CS-07">, pieces of the frame in attributes of their own. While
// nobody looks at the tab the stream is closed.

import { exchange } from "./exchange.js";
import { changed, keepAll } from "./keep.js";

const QUIET_MS = 3000;

export function keepLive() {
  const views = [...document.querySelectorAll("[data-live]")].flatMap((each) => each.dataset.live.trim().split(/\s+/));
  if (!views.length || !("EventSource" in window)) return;
  const address = `/live?${new URLSearchParams(views.map((view) => ["view", decodeURIComponent(view)]))}`;
  let stream = null;

  const open = () => {
    if (stream || document.hidden) return;
    stream = new EventSource(address);
    stream.addEventListener("open", () => badge(true));
    stream.addEventListener("fragments", (event) => {
      badge(true);
      show(JSON.parse(event.data));
    });
    stream.addEventListener("ended", () => {
      keepAll();
      location.reload();
    });
    stream.addEventListener("error", () => {
      badge(false);
      // A refusal closes the stream for good (the log-in has ended, the server restarts): look again a little later.
      if (stream?.readyState !== EventSource.CLOSED) return;
      close();
      setTimeout(open, QUIET_MS);
    });
  };
  const close = () => {
    stream?.close();
    stream = null;
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}

function badge(live) {
  for (const element of document.querySelectorAll("[data-live-badge]")) {
    element.hidden = false;
    element.classList.toggle("is-away", !live);
    element.firstElementChild.textContent = live ? element.dataset.liveOn : element.dataset.liveOff;
  }
}

function show(fragments) {
  let unknown = false;
  for (const [id, html] of Object.entries(fragments)) {
    const old = document.getElementById(id);
    if (!old) unknown ||= html !== "";
    else if (html === "") old.remove();
    else replace(old, html);
  }
  if (unknown) refetch();
}

function replace(old, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  if (!fresh) return;
  keepOpen(old, fresh);
  if (old.isEqualNode(fresh)) return;
  keepTyped(old, fresh);
  exchange(old, fresh);
}

// A list that somebody has opened stays open.
function keepOpen(old, fresh) {
  for (const details of old.querySelectorAll("details[open][id]")) {
    fresh.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
  }
}

// What somebody has typed or chosen in a form goes along, if the same form stands there afterwards.
function keepTyped(old, fresh) {
  for (const form of old.querySelectorAll("form[data-keep]")) {
    const same = [...fresh.querySelectorAll("form[data-keep]")].find((each) => each.dataset.keep === form.dataset.keep);
    if (!same) continue;
    let kept = false;
    for (const field of form.elements) {
      if (!field.name || field.type === "hidden" || !old.contains(field)) continue;
      const twin = [...same.elements].find((each) => each.name === field.name && (field.type !== "radio" || each.value === field.value));
      if (!changed(field) || !twin) continue;
      kept = true;
      if (field.type === "radio" || field.type === "checkbox") twin.checked = field.checked;
      else twin.value = field.value;
    }
    if (kept) same.closest("details")?.setAttribute("open", "");
  }
}

let fetched = 0;

// Something is new here that the page does not know yet (a charger was approved): fetch the page and take over its content.
async function refetch() {
  if (Date.now() - fetched < QUIET_MS || document.querySelector("dialog[open]")) return;
  fetched = Date.now();
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = page.querySelector("main");
  if (main) document.querySelector("main").replaceChildren(...main.childNodes);
  badge(true);
}
