// Building and patching the page without a framework and without innerHTML.
// Views are built anew as plain trees and patched onto what stands there, so focus, typed text and selection stay.
// Patched trees carry no listeners: clicks are heard by delegation, see `onAction`.

/**
 * An element. `text` is its text; other attributes are set if they are neither null, undefined nor false.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** One of the drawings in icons/symbols.svg, for the eye only. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/icons/symbols.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Makes the children of `parent` look like `wanted`, reusing what is there: by `data-key`, else by place and tag.
 * @param {Element} parent
 * @param {(Node | string | null | undefined | false)[]} wanted
 */
export function patch(parent, wanted) {
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  /** @type {Map<string | null, Element>} */
  const keyed = new Map();
  for (const child of parent.children)
    if (child.hasAttribute("data-key")) keyed.set(child.getAttribute("data-key"), child);
  /** @type {ChildNode | null} */
  let place = parent.firstChild;
  for (const item of wanted) {
    if (!item) continue;
    const next = typeof item === "string" ? document.createTextNode(item) : item;
    const key = next instanceof Element ? next.getAttribute("data-key") : null;
    const match = key === null ? place : (keyed.get(key) ?? null);
    if (match && alike(match, next)) {
      if (match === place) place = place.nextSibling;
      else parent.insertBefore(match, place);
      mend(match, next);
    } else parent.insertBefore(next, place);
  }
  for (let rest = place; rest; rest = place) {
    place = rest.nextSibling;
    rest.remove();
  }
  // Moving an element drops its focus.
  if (focused?.isConnected && focused !== document.activeElement && parent.contains(focused))
    focused.focus({ preventScroll: true });
}

/** @param {Node} a @param {Node} b @returns {boolean} whether a can become b */
function alike(a, b) {
  if (a.nodeName !== b.nodeName) return false;
  return !(a instanceof Element && b instanceof Element) || a.getAttribute("data-key") === b.getAttribute("data-key");
}

/** @param {Node} have @param {Node} want */
function mend(have, want) {
  if (!(have instanceof Element) || !(want instanceof Element)) {
    if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
    return;
  }
  for (const { name } of [...have.attributes]) {
    // What the user opened stays open.
    if (!want.hasAttribute(name) && !(name === "open" && have.tagName === "DETAILS")) have.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) if (have.getAttribute(name) !== value) have.setAttribute(name, value);
  // A custom element renders its own children; what is being typed is the user's.
  if (have.tagName.includes("-") || have.tagName === "TEXTAREA") return;
  patch(have, [...want.childNodes]);
}

/**
 * Hears clicks on anything with `data-action` inside `root`.
 * @param {HTMLElement} root
 * @param {(action: string, target: HTMLElement, event: Event) => void} act
 */
export function onAction(root, act) {
  root.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-action]") : null;
    if (target instanceof HTMLElement && root.contains(target)) act(target.dataset.action ?? "", target, event);
  });
}

/** An element that must be there. @param {string} selector @param {ParentNode} [root] @returns {HTMLElement} */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`no ${selector}`);
  return element;
}

/** @type {Map<string, Promise<unknown>>} */
const styles = new Map();

/** Loads a stylesheet that the first view does without. @param {string} href @returns {Promise<unknown>} once it holds, or cannot be had */
export function style(href) {
  const loading =
    styles.get(href) ??
    new Promise((resolve) => {
      const link = h("link", { rel: "stylesheet", href });
      link.onload = link.onerror = resolve;
      document.head.append(link);
    });
  styles.set(href, loading);
  return loading;
}
