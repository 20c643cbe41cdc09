// What every page has beyond links and forms: "/" searches, small forms open as dialogs, slow buttons say so, addresses
// can be copied, and live pages stay true. Without this file everything still works, one page at a time.

import { openDialogs } from "./dialog.js";
import { askServer, forget, giveBack, keep, tell } from "./keep.js";
import { keepLive } from "./live.js";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.querySelector("dialog[open] [type=search]") ?? document.querySelector("[data-search-here]") ?? document.querySelector("main [type=search], [data-search-key]");
  if (!field) return;
  event.preventDefault();
  if (field.offsetParent === null) location.assign("/search");
  else field.select();
  field.focus();
});

// A form is sent once, and only if somebody is there to take it; one that waits for a charger says so.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  // By its attribute: a field of a top-up has the name `method`.
  if (form.getAttribute("method") !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent === "sure") return void (form.dataset.sent = "1");
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  button?.setAttribute("aria-busy", "true");
  const state = await askServer();
  // A form whose fields depend on what was typed is kept by the server (ui/frame/kept.py), and shown again whole.
  if (state !== "here" && !(state === "loggedOut" && form.dataset.kept === "server")) {
    delete form.dataset.sent;
    button?.removeAttribute("aria-busy");
    keep(form);
    const dialog = form.closest("dialog");
    return tell(state, form, dialog?.dataset.from ? new URL(dialog.dataset.from).pathname + new URL(dialog.dataset.from).search : location.pathname + location.search);
  }
  forget(form);
  form.dataset.sent = "sure";
  // A live page may have exchanged it meanwhile: what was pressed is what is sent.
  if (!form.isConnected) document.body.append(Object.assign(form, { hidden: true }));
  form.requestSubmit(button);
  const words = button?.querySelector(".go") ?? button;
  if (words && form.dataset.slow) words.textContent = form.dataset.slow;
});

// Back and forward may show a page with its buttons still busy.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

for (const code of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const text = code.textContent.trim();
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: code.dataset.copy });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "✓";
    setTimeout(() => { button.textContent = code.dataset.copy; }, 1500);
  });
  code.append(button);
}

giveBack(document);
openDialogs();
keepLive();
