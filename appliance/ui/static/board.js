// The board is narrowed without asking the server again: a filter is an attribute that the stylesheet reads, and what was typed
// is looked for in what every connector says of itself. What is exchanged meanwhile is narrowed again.

const board = () => document.querySelector(".sieved");

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.sift");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  choose(link.dataset.show);
});
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-find]")) return;
  narrow();
  remember("find", event.target.value.trim());
});
document.addEventListener("submit", (event) => {
  if (event.target.matches(".sieve")) event.preventDefault();
});
new MutationObserver(narrow).observe(document.querySelector("main"), { childList: true, subtree: true });
narrow();

function choose(name) {
  board().dataset.show = name;
  for (const link of document.querySelectorAll("a.sift")) {
    if (link.dataset.show === name) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  remember("show", name);
}

function narrow() {
  const phrase = folded(document.querySelector("[data-find]")?.value ?? "").replace(/\s+/g, " ");
  const there = [...document.querySelectorAll("[data-words]")];
  const wanted = there.some((each) => each.dataset.words.includes(phrase)) ? [phrase] : phrase.split(" ");
  for (const each of there) each.hidden = !wanted.every((word) => each.dataset.words.includes(word));
}

// As appliance/domain/words.py does it, which has written data-words.
function folded(text) {
  const plain = text.toUpperCase().toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").normalize("NFC").trim();
  return plain.replace(/[\u09e6-\u09ef\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g, (digit) => (digit.charCodeAt(0) & 15) - (digit >= "\u0966" ? 6 : 0));
}

// The address says what is shown, so that coming back, and whoever is sent it, sees the same.
function remember(name, value) {
  const address = new URL(location.href);
  if (value) address.searchParams.set(name, value);
  else address.searchParams.delete(name);
  history.replaceState(null, "", address);
}
