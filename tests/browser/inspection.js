// Looks at the page that is shown and returns what is wrong with it, as sentences by kind. Run by test_every_page.py.
() => {
  const CONTRAST_MIN = 4.5;
  const TOUCH_PX_MIN = 44;
  const wrong = { structure: [], names: [], contrast: [], sideways: [], cut: [], touch: [] };
  const seen = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && element.getClientRects().length > 0;
  const short = (element) => `<${element.localName} class="${element.getAttribute("class") ?? ""}"> ${(element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 60)}`;

  // What a page is made of.
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((one, place) => ids.indexOf(one) !== place))) wrong.structure.push(`id ${id} is there twice`);
  const heads = [...document.querySelectorAll("h1")].filter(seen);
  if (heads.length !== 1) wrong.structure.push(`${heads.length} first headings`);
  if (!document.documentElement.lang) wrong.structure.push("no language");
  if (!document.title.trim()) wrong.structure.push("no title");
  if (document.querySelectorAll("main").length !== 1) wrong.structure.push("not one main part");
  let level = 0;
  for (const heading of [...document.querySelectorAll("main :is(h1, h2, h3, h4)")].filter(seen)) {
    const next = Number(heading.localName[1]);
    if (level && next > level + 1) wrong.structure.push(`heading leaps from ${level} to ${next}: ${short(heading)}`);
    level = next;
  }
  for (const element of document.querySelectorAll("[tabindex]")) if (element.tabIndex > 0) wrong.structure.push(`tabindex ${short(element)}`);
  for (const element of document.querySelectorAll("[style], [onclick]")) wrong.structure.push(`inline code ${short(element)}`);
  for (const table of document.querySelectorAll("table")) if (table.tHead && [...table.tHead.querySelectorAll("td")].length) wrong.structure.push(`a head without th ${short(table)}`);

  // Regions have names of their own, and everything that is shown stands in one.
  const REGIONS = "main, nav, aside, search, [role=search], section[aria-label], form[aria-label]";
  const regions = [...document.querySelectorAll(REGIONS)].filter(seen).map((element) => `${element.getAttribute("role") ?? element.localName} ${element.getAttribute("aria-label") ?? ""}`);
  for (const one of new Set(regions.filter((each, place) => regions.indexOf(each) !== place))) wrong.structure.push(`two regions are called ${one}`);
  for (const element of document.body.querySelectorAll(":not(script, style)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (own && seen(element) && !element.closest(`${REGIONS}, .skip, [role=status], [aria-live], dialog`)) wrong.structure.push(`in no region: ${short(element)}`);
  }

  // What has a name. A tile that was exchanged and not painted yet has words, but no `innerText`.
  const words = (element) => (element.checkVisibility({ contentVisibilityAuto: true }) ? element.innerText : element.textContent);
  const named = (element) => (element.getAttribute("aria-label") ?? words(element) ?? "").trim() || element.getAttribute("title") || [...element.querySelectorAll("[aria-label], .unseen")].length;
  for (const field of document.querySelectorAll(":is(input:not([type=hidden]), select, textarea):not([aria-hidden=true])")) {
    if (!field.labels?.length && !field.getAttribute("aria-label") && !field.getAttribute("aria-labelledby")) wrong.names.push(`no label: ${field.name || field.id}`);
  }
  for (const element of document.querySelectorAll("button, a[href], summary")) if (seen(element) && !named(element)) wrong.names.push(`no name: ${element.outerHTML.slice(0, 120)}`);
  for (const image of document.querySelectorAll("img:not([alt]), svg[role=img]:not([aria-label]):not([aria-labelledby])")) if (!image.querySelector("title")) wrong.names.push(`no words: ${short(image)}`);
  for (const element of document.querySelectorAll("[aria-describedby], [aria-labelledby], label[for]")) {
    for (const id of (element.getAttribute("aria-describedby") ?? element.getAttribute("aria-labelledby") ?? element.htmlFor).split(" ")) {
      if (!document.getElementById(id)) wrong.names.push(`points at nothing: ${id}`);
    }
  }
  for (const link of document.querySelectorAll("a:not([href]), a[href^='#']:not([href^='#main'])")) if (!document.querySelector(link.hash || "nothing")) wrong.names.push(`leads nowhere: ${short(link)}`);

  // Whether the text can be read: colours are painted to learn their numbers, whatever notation they have.
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const numbers = new Map();
  const rgba = (colour) => {
    if (!numbers.has(colour)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
      numbers.set(colour, [red, green, blue, alpha / 255]);
    }
    return numbers.get(colour);
  };
  const over = ([red, green, blue, alpha], below) => [red, green, blue].map((value, place) => value * alpha + below[place] * (1 - alpha));
  const light = (colour) => {
    const [red, green, blue] = colour.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [bright, dark] = [light(one), light(other)].sort((left, right) => right - left);
    return (bright + 0.05) / (dark + 0.05);
  };
  const grounds = new Map([[null, [[255, 255, 255]]]]);
  const behind = (element) => {
    if (!grounds.has(element)) grounds.set(element, painted(element));
    return grounds.get(element);
  };
  const painted = (element) => {
    const style = getComputedStyle(element);
    const plain = rgba(style.backgroundColor);
    const below = plain[3] === 1 ? [plain.slice(0, 3)] : behind(element.parentElement).map((colour) => over(plain, colour));
    const stripes = style.backgroundImage.includes("gradient") ? style.backgroundImage.match(/(?:rgba?|color|oklab|oklch)\([^()]*\)/g) ?? [] : [];
    return stripes.length ? stripes.flatMap((stripe) => below.map((colour) => over(rgba(stripe), colour))) : below;
  };
  const shades = new Map([[null, 1]]);
  const faded = (element) => {
    if (!shades.has(element)) shades.set(element, Number(getComputedStyle(element).opacity) * faded(element.parentElement));
    return shades.get(element);
  };
  const read = (element, colour, text) => {
    const [red, green, blue, alpha] = rgba(colour);
    const least = Math.min(...behind(element).map((ground) => contrast(over([red, green, blue, alpha * faded(element)], ground), ground)));
    if (least < CONTRAST_MIN) wrong.contrast.push(`${least.toFixed(2)} ${colour} ${text.trim().slice(0, 40)} ${short(element).slice(0, 70)}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || ["SCRIPT", "STYLE", "OPTION"].includes(element.tagName) || !seen(element) || element.closest(".unseen, .skip, :disabled")) continue;
    const style = getComputedStyle(element);
    read(element, element instanceof SVGElement ? style.fill : style.color, texts.currentNode.data);
  }
  for (const field of document.querySelectorAll("input[placeholder]")) if (seen(field)) read(field, getComputedStyle(field, "::placeholder").color, field.placeholder);

  // Whether it fits, and fingers hit it.
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.body.querySelectorAll("*")].filter((element) => !element.closest(".scroll, .unseen, svg") && element.getBoundingClientRect().right > root.clientWidth + 1);
    wrong.sideways.push(`${root.scrollWidth} of ${root.clientWidth} px: ${wide.slice(0, 3).map(short).join(" | ")}`);
  }
  for (const element of document.querySelectorAll(".scroll, .figures")) {
    if (seen(element) && element.scrollWidth > element.clientWidth + 1) wrong.cut.push(`${element.scrollWidth} of ${element.clientWidth} px: ${short(element)}`);
  }
  for (const element of document.querySelectorAll("button, a.button, summary.button, .tabs a, .menu a, select, input:not([type=hidden], [type=checkbox], [type=radio])")) {
    const { height } = element.getBoundingClientRect();
    if (seen(element) && height < TOUCH_PX_MIN - 0.5) wrong.touch.push(`${height.toFixed(0)} px: ${short(element)}`);
  }
  return wrong;
};
