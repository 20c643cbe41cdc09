// What the pages of the till have beyond links and forms: what was counted is added up while it is typed, the function keys choose
// what is done, Escape goes on to the next person, and a card that is laid down opens its holder. Without this file all of it works
// with the mouse.

for (const pieces of document.querySelectorAll("[data-pieces]")) addUp(pieces);

// Digits are those of the page's language, and the amounts are written as the server writes nothing: "৳0.00".
function addUp(pieces) {
  const exponent = Number(pieces.dataset.exponent);
  const format = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: exponent, maximumFractionDigits: exponent });
  const nothing = pieces.dataset.zero.search(/\p{Nd}/u);
  const after = pieces.dataset.zero.match(/[^\p{Nd}]*$/u)[0];
  const money = (minor) => pieces.dataset.zero.slice(0, nothing) + format.format(Number(minor) / 10 ** exponent) + after;
  const sum = pieces.querySelector("[data-sum]");
  const inputs = [...pieces.querySelectorAll("input[data-value]")];
  const look = () => {
    let total = 0;
    for (const input of inputs) {
      const count = digits(input.value);
      const minor = count * Number(input.dataset.value);
      total += minor;
      const output = input.nextElementSibling;
      output.textContent = minor ? money(minor) : "–";
      output.classList.toggle("is-some", minor > 0);
    }
    sum.hidden = false;
    sum.querySelector("strong").textContent = money(total);
  };
  for (const input of inputs) {
    input.addEventListener("input", look);
    // Enter goes on to the next note; from the last one it sends the form.
    input.addEventListener("keydown", (event) => {
      const next = inputs[inputs.indexOf(input) + 1];
      if (event.key !== "Enter" || !next) return;
      event.preventDefault();
      next.focus();
      next.select();
    });
  }
  if (!pieces.querySelector("[autofocus]")) inputs[0]?.focus({ preventScroll: true });
  look();
}

// In the digits of any script; what is no number counts nothing, and the server says so.
function digits(text) {
  const plain = [...text.trim()].map((sign) => (/\p{Nd}/u.test(sign) ? sign.codePointAt(0) - zero(sign.codePointAt(0)) : "x")).join("");
  return /^\d+$/.test(plain) ? Number(plain) : 0;
}

// Ten digits of a script stand together; the first of them is where the run begins.
function zero(code) {
  let first = code;
  while (code - first < 9 && /\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return first;
}

const till = document.querySelector("[data-till]");
if (till) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const link = event.key === "Escape" ? till.querySelector("[data-next]") : till.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!link) return;
    event.preventDefault();
    location.assign(link.href);
  });
  new MutationObserver(openTapped).observe(till, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-card"] });
  openTapped();
}

// Whoever types, or has chosen an amount already, is not taken away from it: then the name above is a link.
function openTapped() {
  const card = document.getElementById("till-tap")?.dataset.card;
  if (!card) return void sessionStorage.removeItem("till-card");
  const address = new URL(location.href);
  if (address.searchParams.get("card") === card || opened() === card) return;
  const busy = document.getElementById("find").value || till.querySelector("#till-topup input[type=radio][name=preset]:checked");
  if (busy) return;
  sessionStorage.setItem("till-card", card);
  const to = new URLSearchParams({ card });
  if (address.searchParams.get("do")) to.set("do", address.searchParams.get("do"));
  location.assign(`/till?${to}`);
}

// The card that still lies there when its holder was served does not open again.
function opened() {
  return sessionStorage.getItem("till-card");
}
