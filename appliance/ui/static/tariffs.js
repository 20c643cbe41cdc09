// The editor of a tariff: what follows from its fields is brought up to date while they are typed, and a button that changes the form
// changes it in its place. The answer is the page's own, so that without this file every button does the same, one page at a time.

const form = document.querySelector("form[data-tariff]");
const PAUSE_MS = 250;
let timer;
let asked = 0;

form?.addEventListener("input", later);
form?.addEventListener("change", later);
form?.addEventListener("submit", async (event) => {
  const action = event.submitter?.name === "do" ? event.submitter.value : "";
  if (!action) return;
  event.preventDefault();
  clearTimeout(timer);
  const fresh = await ask(action);
  if (fresh) exchangeForm(fresh, action);
});

function later() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const fresh = await ask("live");
    if (!fresh) return;
    for (const part of form.querySelectorAll("[data-fresh]")) {
      const next = fresh.querySelector(`#${part.id}`);
      if (next && !next.isEqualNode(part) && !part.contains(document.activeElement)) part.replaceWith(next);
      else if (next && part.tagName === "SUMMARY") part.replaceChildren(...next.childNodes);
    }
  }, PAUSE_MS);
}

// The form as the server has it after a button; nothing if it does not answer, or a later question has overtaken this one.
async function ask(action) {
  const mine = ++asked;
  const fields = new FormData(form);
  fields.set("do", action);
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(fields), redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return mine === asked ? page.querySelector("form[data-tariff]") : null;
  } catch {
    return null;
  }
}

// Lines that were open stay so; the one that was added has the focus, and otherwise whatever had it.
function exchangeForm(fresh, action) {
  const open = [...form.querySelectorAll(".say > details")].map((each) => each.open);
  const before = open.length;
  const focused = document.activeElement?.closest("form") === form ? document.activeElement : null;
  form.replaceChildren(...fresh.childNodes);
  const lines = [...form.querySelectorAll(".say > details")];
  if (lines.length === before && !/^(up|down|first):/.test(action)) lines.forEach((each, place) => { each.open ||= open[place]; });
  const [kind, what] = action.split(":");
  const moved = { up: Number(what) - 1, down: Number(what) + 1, first: 0 }[kind];
  const line = lines.length > before ? lines.at(-1) : lines[moved];
  if (line) {
    line.open = true;
    (lines.length > before ? line.querySelector(".is-price input") : line.querySelector("summary"))?.focus();
  } else {
    const same = focused && [...form.querySelectorAll("[name]")].find((each) => each.name === focused.name && (each.name !== "do" || each.value === focused.value));
    (same ?? form.querySelector("h2, .button"))?.focus();
  }
}
