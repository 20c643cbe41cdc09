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

// Lines that were open stay so; the one that was added or moved has the focus, and otherwise whatever had it.
function exchangeForm(fresh, action) {
  const lines = () => [...form.querySelectorAll(".say > details")];
  const open = lines().map((each) => each.open);
  const { name, value } = document.activeElement ?? {};
  const [kind, place] = action.split(":");
  form.replaceChildren(...fresh.childNodes);
  const now = lines();
  const line = now.length > open.length ? now.at(-1) : now[{ up: place - 1, down: +place + 1, first: 0 }[kind]];
  if (line) {
    line.open = true;
    return (now.length > open.length ? line.querySelector(".is-price input") : line.querySelector("summary")).focus();
  }
  if (now.length === open.length) now.forEach((each, at) => { each.open ||= open[at]; });
  const same = [...form.elements].find((each) => name && each.name === name && (name !== "do" || each.value === value));
  (same ?? form.querySelector(".button")).focus();
}
