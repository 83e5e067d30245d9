/**
 * What a screen should look like is described anew each time; only what differs from what is shown is changed,
 * so focus, selection and scroll stay where they are. Text is only ever set as text.
 */

const SVG = "http://www.w3.org/2000/svg";

/** One element as it should be. Children: descriptions, texts, numbers, lists of them; null and false are left out. */
export function h(tag, properties, ...children) {
  return { tag, properties: properties ?? {}, children: children.flat(Infinity).filter(isShown) };
}

const isShown = (child) => child !== null && child !== undefined && child !== false && child !== "";

/** Makes the children of `parent` those that are described. */
export function render(parent, described) {
  renderChildren(parent, [described].flat(Infinity).filter(isShown), parent.namespaceURI);
}

function renderChildren(parent, described, namespace) {
  const keys = keysOf(described);
  const wanted = new Set(keys);
  const present = new Map();
  for (const node of [...parent.childNodes]) {
    if (wanted.has(node.dropscoreKey)) present.set(node.dropscoreKey, node);
    else node.remove();
  }
  let next = parent.firstChild;
  described.forEach((child, index) => {
    const node = updated(present.get(keys[index]), child, keys[index], namespace);
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  });
}

/** A sibling is recognized by its key, else by being the n-th of its kind. */
function keysOf(described) {
  const seen = new Map();
  return described.map((child) => {
    const kind = child.tag ?? "#text";
    if (child.properties?.key !== undefined) return `${kind}=${child.properties.key}`;
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    return `${kind}#${seen.get(kind)}`;
  });
}

function updated(node, child, key, namespace) {
  if (child.tag === undefined) return updatedText(node, String(child), key);
  const inside = child.tag === "svg" ? SVG : namespace;
  const element = node ?? created(child.tag, key, inside);
  if (element.dropscoreShown === child) return element;
  setProperties(element, element.dropscoreShown?.properties ?? {}, child.properties);
  renderChildren(element, child.children, inside);
  // A select has its options only now.
  if ("value" in child.properties && element.value !== child.properties.value) {
    if (element !== document.activeElement || child.tag === "select") element.value = child.properties.value;
  }
  element.dropscoreShown = child;
  return element;
}

function updatedText(node, text, key) {
  const shown = node ?? document.createTextNode(text);
  shown.dropscoreKey = key;
  if (shown.data !== text) shown.data = text;
  return shown;
}

function created(tag, key, namespace) {
  const element = namespace === SVG ? document.createElementNS(SVG, tag) : document.createElement(tag);
  element.dropscoreKey = key;
  return element;
}

function setProperties(element, before, after) {
  for (const name of Object.keys(before)) if (!(name in after)) setProperty(element, name, before[name], undefined);
  for (const [name, value] of Object.entries(after)) {
    if (before[name] !== value) setProperty(element, name, before[name], value);
  }
}

function setProperty(element, name, before, value) {
  if (name === "key" || name === "value") return;
  if (name.startsWith("on")) return listen(element, name.slice(2), before, value);
  if (name === "style") return setStyle(element, before, value);
  if (name === "checked" || name === "open") return void (element[name] = Boolean(value));
  if (value === undefined || value === null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

function listen(element, event, before, listener) {
  if (before) element.removeEventListener(event, before);
  if (listener) element.addEventListener(event, listener);
}

/** By the object model: the content security policy forbids style attributes. */
function setStyle(element, before, style) {
  for (const name of Object.keys(before ?? {})) if (!(name in (style ?? {}))) element.style.removeProperty(name);
  for (const [name, value] of Object.entries(style ?? {})) element.style.setProperty(name, value);
}
