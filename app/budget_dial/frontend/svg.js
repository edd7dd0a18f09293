// Elements of drawings.

export const SVG = "http://www.w3.org/2000/svg";

/**
 * Append an SVG element.
 * @param {Element} parent
 * @param {string} tag
 * @param {{ [name: string]: string | number }} attributes
 * @param {string} [text]
 */
export function add(parent, tag, attributes, text) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}
