// Nothing that was typed is lost. Before a form is sent the server is asked whether it is there and whether the log-in holds;
// if not, the page stays as it is and says so. What was typed is then also kept in this tab, for the same person's next visit
// of the same form: only what differs from what the form showed, and never a password.

const words = document.getElementById("keep-words")?.dataset;
const KEY = "kept:";
const LOST = "lost";
const LOGGED_OUT = "loggedOut";

// "here", "loggedOut" or "lost".
export async function askServer() {
  try {
    const answer = await fetch("/here", { redirect: "manual", cache: "no-store" });
    return answer.type === "opaqueredirect" ? LOGGED_OUT : answer.ok ? "here" : LOST;
  } catch {
    return LOST;
  }
}

// Says beside the form, or over the page, why nothing was sent.
export function tell(state, place, next) {
  place.querySelector("[data-kept-note]")?.remove();
  const note = Object.assign(document.createElement("div"), { className: "note is-failed" });
  note.dataset.keptNote = state;
  note.setAttribute("role", "alert");
  const text = document.createElement("span");
  text.textContent = `${words[state]} `;
  if (state === LOGGED_OUT) text.append(Object.assign(document.createElement("a"), { href: `/login?${new URLSearchParams({ next })}`, textContent: words.logIn }));
  note.append(text);
  place.prepend(note);
  note.scrollIntoView({ block: "nearest" });
}

export function keep(form) {
  const fields = [...form.elements].filter((field) => field.name && changed(field)).map((field) => [field.name, choice(field) ? field.value : null, choice(field) ? field.checked : field.value]);
  if (!fields.length) return;
  // What the form showed goes along: the server sees what somebody else has changed meanwhile (ui/forms/edits.py).
  const shown = form.elements.namedItem("shown")?.value;
  sessionStorage.setItem(KEY + path(form), JSON.stringify({ who: words.who, fields, shown }));
}

export function keepAll() {
  for (const form of document.querySelectorAll("form[method=post]")) keep(form);
}

export function forget(form) {
  sessionStorage.removeItem(KEY + path(form));
}

// Fills in what was kept for the forms of a page or of a dialog.
export function giveBack(root) {
  for (const form of root.querySelectorAll("form[method=post]")) {
    const written = sessionStorage.getItem(KEY + path(form));
    if (!written) continue;
    forget(form);
    const { who, fields, shown } = JSON.parse(written);
    if (who !== words?.who) continue;
    for (const [name, value, typed] of fields) {
      const field = [...form.elements].find((each) => each.name === name && (value === null || each.value === value));
      if (!field) continue;
      if (value === null) field.value = typed;
      else field.checked = typed;
    }
    if (shown !== undefined && form.elements.namedItem("shown")) form.elements.namedItem("shown").value = shown;
    form.closest("details")?.setAttribute("open", "");
    tell("back", form, "");
  }
}

export function changed(field) {
  if (["hidden", "password", "file", "submit", "button"].includes(field.type)) return false;
  if (choice(field)) return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
}

const choice = (field) => field.type === "radio" || field.type === "checkbox";
// By its attribute: a field may have the name `action`.
const path = (form) => new URL(form.getAttribute("action") ?? "", location.href).pathname;
