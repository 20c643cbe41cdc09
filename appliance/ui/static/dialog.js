// Links marked data-dialog lead to small forms. Here the form is fetched and shown over the page; sending it is an
// ordinary form post. Escape and Cancel close it, and what was focused before has the focus again.

import { exchange } from "./exchange.js";
import { askServer, giveBack, keepAll, tell } from "./keep.js";

// So long nothing of a list that has just changed can be pressed: the finger was on its way to what stood there before.
const SETTLE_MS = 300;
const dialog = document.getElementById("dialog");
let opener = null;
let pressedOutside = false;

export function openDialogs() {
  if (!dialog) return;
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const part = await fetchPart(link.href, "[data-ask]");
    if (!part) return leave(link.href);
    if (!dialog.open) opener = link;
    dialog.replaceChildren(part);
    dialog.dataset.from = link.href;
    dialog.showModal();
    giveBack(dialog);
    (dialog.querySelector("[autofocus]") ?? dialog.querySelector("input, button"))?.focus();
  });
  dialog.addEventListener("pointerdown", (event) => { pressedOutside = isOutside(event); });
  dialog.addEventListener("click", (event) => {
    const cancel = event.target.closest("[data-close]:not(dialog)");
    if (!cancel && !(pressedOutside && isOutside(event))) return;
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    giveBackFocus();
  });
  document.addEventListener("input", searchWhileTyping);
  dialog.addEventListener("submit", (event) => {
    if (event.target.method !== "get") return;
    event.preventDefault();
    search(event.target.querySelector("[data-search-into]"));
  });
}

// It cannot be shown over the page: as a page of its own, unless nobody is there to show it. Then this page stays.
async function leave(address) {
  if ((await askServer()) === "lost") return tell("lost", document.querySelector("main"), "");
  keepAll();
  location.assign(address);
}

// A press whose button was exchanged beneath it ends on the dialog itself, and so does one on its margin: neither closes it.
function isOutside(event) {
  const box = dialog.getBoundingClientRect();
  const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  return event.target === dialog && !inside;
}

// Where the page was brought up to date beneath the dialog, the browser finds nothing to give the focus back to.
function giveBackFocus() {
  if (!opener || opener.isConnected) return;
  const same = [...document.querySelectorAll("a[data-dialog]")].find((each) => each.href === opener.href);
  same?.focus({ preventScroll: true });
}

async function fetchPart(address, selector) {
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    if (!response.ok) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html").querySelector(selector);
  } catch {
    return null;
  }
}

let timer;

function searchWhileTyping(event) {
  if (!event.target.matches("[data-search-into]")) return;
  clearTimeout(timer);
  timer = setTimeout(search, 160, event.target);
}

let asked = 0;

async function search(field) {
  if (!field) return;
  const address = new URL(dialog.open ? dialog.dataset.from : location.href);
  address.searchParams.set("q", field.value);
  const mine = ++asked;
  const found = await fetchPart(address, `#${field.dataset.searchInto}`);
  const list = document.getElementById(field.dataset.searchInto);
  // An answer that was overtaken by a later one is thrown away.
  if (!found || !list || mine !== asked || list.isEqualNode(found)) return;
  // What is short now must not pull the edge of the dialog from under the pointer.
  const around = list.parentElement;
  around.style.minBlockSize = `${around.getBoundingClientRect().height}px`;
  if (!list.contains(document.activeElement)) settle(found);
  exchange(list, found);
}

function settle(list) {
  list.inert = true;
  setTimeout(() => { list.inert = false; }, SETTLE_MS);
}
