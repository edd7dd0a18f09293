// Which classes pay, and what test images are taken for, along the slider: both follow the dial while one drags it.

/** @import { AlongData, ImageAlong } from "./types" */
import { nearestRow, networkWords, points, prediction, startOfScale } from "./along_rows.js";
import { fillSwitch, find, setText } from "./dom.js";
import { loadStyles } from "./styles.js";

const MARKUP = `
  <p class="bd-along-which" role="status"></p>
  <div class="bd-along-parts">
    <div><h3>Accuracy of each class</h3>
      <div class="bd-along-scale" aria-hidden="true"><span></span><span class="bd-along-ends"><i></i><i>100 %</i></span></div>
      <ul class="bd-along-classes"></ul></div>
    <div><div class="bd-along-head"><h3>Test images</h3><span class="bd-switch bd-along-kind" role="radiogroup"
      aria-label="Test images"></span></div><ul class="bd-along-images"></ul></div>
  </div>`;
/** @type {[string, string][]} */
const KINDS = [
  ["images", "One of each class"],
  ["changing", "First to change"],
];

/** @type {WeakMap<Element, Along>} */
const mounted = new WeakMap();

await loadStyles();

/**
 * Where Streamlit enters.
 * @param {{ data: AlongData, parentElement: ParentNode }} component
 * @returns {() => void}
 */
export default function along({ data, parentElement }) {
  const root = find(parentElement, ".bd-along", HTMLElement);
  const view = mounted.get(root) ?? new Along(root, data);
  mounted.set(root, view);
  view.show(data);
  const follow = () => view.goTo();
  window.addEventListener("legr-budget", follow);
  return () => window.removeEventListener("legr-budget", follow);
}

class Along {
  /**
   * @param {HTMLElement} root
   * @param {AlongData} data
   */
  constructor(root, data) {
    root.innerHTML = MARKUP;
    this.data = data;
    this.kind = KINDS[0][0];
    this.row = 0;
    this.low = 0; // where the lines of the classes begin, per cent
    this.which = find(root, ".bd-along-which", HTMLElement);
    this.lowest = find(root, ".bd-along-ends i", HTMLElement);
    this.classes = find(root, ".bd-along-classes", HTMLElement);
    this.images = find(root, ".bd-along-images", HTMLElement);
    this.kinds = find(root, ".bd-along-kind", HTMLElement);
    /** @type {{ item: HTMLElement, now: HTMLElement, way: HTMLElement, text: HTMLElement, lost: HTMLElement }[]} */
    this.lines = [];
    /** @type {{ image: ImageAlong, item: HTMLElement, text: HTMLElement }[]} */
    this.tiles = [];
  }

  /** @param {AlongData} data */
  show(data) {
    this.data = data;
    this.low = startOfScale(data.top1_of_listed);
    setText(this.lowest, `${this.low} %`);
    this.lines = data.listed.map((name, place) => line(name, this.place(data.top1_of_listed[place][0])));
    this.classes.replaceChildren(...this.lines.map(({ item }) => item));
    this.showImages();
    this.goTo();
  }

  /**
   * Where an accuracy lies on the lines, per cent of their length.
   * @param {number} top1
   */
  place(top1) {
    return (100 * (top1 - this.low)) / (100 - this.low);
  }

  showImages() {
    const { data } = this;
    fillSwitch(this.kinds, "along-kind", KINDS, this.kind, (kind) => {
      this.kind = kind;
      this.showImages();
      this.update();
    });
    const shown = this.kind === "changing" ? data.changing : data.images;
    this.tiles = shown.map((image) => tile(data, image));
    this.images.replaceChildren(...this.tiles.map(({ item }) => item));
  }

  /** Go to the network that stands for the slider's. */
  goTo() {
    const percent = /** @type {any} */ (window).legrBudget ?? 100;
    this.row = nearestRow(this.data.percent, percent);
    this.update();
  }

  update() {
    const { data, row } = this;
    setText(this.which, networkWords(data, row));
    this.lines.forEach(({ now, way, text, lost }, place) => {
      const [first, top1] = [data.top1_of_listed[place][0], data.top1_of_listed[place][row]];
      const [from, to] = [first, top1].map((value) => this.place(value));
      now.style.left = `${to}%`;
      way.style.left = `${Math.min(from, to)}%`;
      way.style.width = `${Math.abs(from - to)}%`;
      setText(text, `${top1.toFixed(1)} %`);
      setText(lost, row ? points(top1 - first) : "");
    });
    for (const { image, item, text } of this.tiles) {
      const { text: words, isRight, isOther } = prediction(data, image, row);
      setText(text, `${isRight ? "✓" : "✗"} ${words}`);
      item.classList.toggle("bd-along-wrong", !isRight);
      item.classList.toggle("bd-along-other", isOther);
    }
  }
}

/**
 * A class, and its accuracy on a line: a ring for the original, a dot for the network.
 * @param {string} name
 * @param {number} first where the original lies, per cent of the line
 */
function line(name, first) {
  const item = element("li", "");
  const track = element("span", "bd-along-track");
  const [way, original, now] = ["bd-along-way", "bd-along-original", "bd-along-now"].map((kind) => element("i", kind));
  original.style.left = `${first}%`;
  track.append(way, original, now);
  const [text, lost] = [element("b", ""), element("small", "")];
  item.append(element("span", "bd-along-name", name), track, text, lost);
  return { item, now, way, text, lost };
}

/**
 * A test image with its class, and what the network takes it for.
 * @param {AlongData} data
 * @param {ImageAlong} image
 */
function tile(data, image) {
  const item = element("li", "");
  const picture = Object.assign(document.createElement("img"), { src: image.picture });
  picture.alt = `Test image ${image.number}: ${data.names[image.label]}`;
  picture.title = `Test image ${image.number}`;
  const text = element("span", "bd-along-answer");
  item.append(picture, element("b", "", data.names[image.label]), text);
  return { item, image, text };
}

/**
 * @param {string} tag
 * @param {string} kind
 * @param {string} [text]
 */
function element(tag, kind, text = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text) made.textContent = text;
  return made;
}
