// What every page has beyond links and forms: "/" searches, small forms open as dialogs, slow buttons say so, addresses
// can be copied, and live pages stay true. Without this file everything still works, one page at a time.

import { openDialogs } from "./dialog.js";
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

// A form that waits for a charger says so, and is not sent twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (form.method !== "post") return;
  form.dataset.sent = "1";
  const button = event.submitter;
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  const words = button.querySelector(".go") ?? button;
  if (form.dataset.slow) words.textContent = form.dataset.slow;
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

openDialogs();
keepLive();
