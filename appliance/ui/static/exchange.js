// Puts a newer rendering of an element in its place. Somebody who is about to press a button keeps it under their finger.

export function exchange(old, fresh) {
  const key = old.contains(document.activeElement) ? keyOf(document.activeElement) : "";
  old.replaceWith(fresh);
  if (!key) return;
  const again = [...fresh.querySelectorAll("[href], [name], summary[id]")].find((each) => keyOf(each) === key);
  again?.focus({ preventScroll: true });
}

// What it is, however it is rendered: where a link leads, which field it is, what a button sends, which list it opens.
function keyOf(element) {
  const { href, name, value, id } = Object.fromEntries([...element.attributes].map((each) => [each.name, each.value]));
  return href ?? (name && element.tagName === "BUTTON" ? `${name}=${value}` : name ?? (element.tagName === "SUMMARY" ? id : undefined));
}
