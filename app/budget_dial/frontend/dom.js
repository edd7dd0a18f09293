// Small helpers for the page's elements.

/**
 * The element that a selector names.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`the dial's markup has no ${type.name} for ${selector}`);
  return element;
}

/**
 * Set a text only where it changes, so that a drag touches as little of the page as possible.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Fill a switch with radio buttons. They are replaced only where the options change, so that the focus stays.
 * @param {HTMLElement} element
 * @param {string} name
 * @param {[string, string][]} options value and caption of each
 * @param {string} chosen
 * @param {(value: string) => void} onChoose
 */
export function fillSwitch(element, name, options, chosen, onChoose) {
  const signature = JSON.stringify(options);
  if (element.dataset.options !== signature) {
    element.dataset.options = signature;
    element.querySelectorAll("label").forEach((label) => label.remove());
    const group = `${name}-${crypto.getRandomValues(new Uint32Array(1))[0]}`; // two dials may be on one page
    for (const [value, caption] of options) {
      const input = Object.assign(document.createElement("input"), { type: "radio", name: group, value });
      const label = document.createElement("label");
      label.append(input, Object.assign(document.createElement("span"), { textContent: caption }));
      element.append(label);
    }
  }
  for (const input of element.querySelectorAll("input")) {
    input.checked = input.value === chosen;
    input.onchange = () => onChoose(input.value);
  }
}

/**
 * Fill a menu; its options are replaced only where they change.
 * @param {HTMLSelectElement} menu
 * @param {[string, string][]} options value and caption of each
 * @param {string} chosen
 */
export function fillMenu(menu, options, chosen) {
  const signature = JSON.stringify(options);
  if (menu.dataset.options !== signature) {
    menu.dataset.options = signature;
    menu.replaceChildren(...options.map(([value, caption]) => new Option(caption, value)));
  }
  menu.value = chosen;
}

/**
 * The nearest number to `value` in [low, high].
 * @param {number} low
 * @param {number} value
 * @param {number} high
 */
export function clamp(low, value, high) {
  return Math.max(low, Math.min(value, high));
}
