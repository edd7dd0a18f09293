// Which classes lose accuracy along the slider, and how test images are classified: both follow the dial as one drags it.

/** @import { AlongData, ImageAlong } from "./types" */
import { isBelowAll, nearestRow, networkWords, points, prediction, startOfScale } from "./along_rows.js";
import { fillSwitch, find, setText } from "./dom.js";
import { loadStyles } from "./styles.js";

const MARKUP = `
  <p class="bd-along-which"></p>
  <div class="bd-along-parts">
    <div><h3>Accuracy of each class</h3>
      <p class="bd-along-key"><i class="bd-along-original"></i> original <i class="bd-along-now"></i> this network, and its difference in points</p>
      <div class="bd-along-scale" aria-hidden="true"><span></span><span class="bd-along-ends"><i></i><i>100 %</i></span></div>
      <ul class="bd-along-classes"></ul></div>
    <div><div class="bd-along-head"><h3>Test images</h3><span class="bd-switch bd-along-kind" role="radiogroup"
      aria-label="Test images"></span></div><p class="bd-along-key"></p><ul class="bd-along-images"></ul></div>
  </div>`;
/** @type {[string, string][]} */
const KINDS = [
  ["images", "Of different classes"],
  ["changing", "First to change"],
];
/** @type {Record<string, string>} */
const KEYS = {
  images: "The class, and below it what this network takes the image for. A frame: the original takes it for another.",
  changing: "Their prediction changes at the largest budgets. A frame: the original takes the image for another class.",
};
/** @type {Record<string, string>} */
const NONE = {
  images: "The original classifies no test image correctly.",
  changing: "No network classifies an image otherwise than the original.",
};

/** @type {WeakMap<Element, { view: Along, calls: number }>} */
const mounted = new WeakMap();

await loadStyles();

/**
 * Where Streamlit enters, also for new data; of the functions that it gets it may call the last one alone.
 * @param {{ data: AlongData, parentElement: ParentNode }} component
 * @returns {() => void} takes the view away
 */
export default function along({ data, parentElement }) {
  const root = find(parentElement, ".bd-along", HTMLElement);
  const mount = mounted.get(root) ?? { view: new Along(root, data), calls: 0 };
  mounted.set(root, mount);
  const call = ++mount.calls;
  mount.view.show(data);
  return () => {
    if (call !== mount.calls) return; // a later call has taken over
    mount.view.close();
    mounted.delete(root);
  };
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
    this.percent = 100;
    this.low = 0; // where the lines of the classes begin, per cent
    this.root = root;
    this.note = find(root, ".bd-along-head + .bd-along-key", HTMLElement);
    this.which = find(root, ".bd-along-which", HTMLElement);
    this.lowest = find(root, ".bd-along-ends i", HTMLElement);
    this.classes = find(root, ".bd-along-classes", HTMLElement);
    this.images = find(root, ".bd-along-images", HTMLElement);
    this.kinds = find(root, ".bd-along-kind", HTMLElement);
    /** @type {{ item: HTMLElement, now: HTMLElement, way: HTMLElement, text: HTMLElement, lost: HTMLElement }[]} */
    this.lines = [];
    /** @type {{ image: ImageAlong, item: HTMLElement, text: HTMLElement, was: HTMLElement }[]} */
    this.tiles = [];
    this.follow = () => this.goTo();
    window.addEventListener("legr-budget", this.follow);
  }

  close() {
    window.removeEventListener("legr-budget", this.follow);
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
    setText(this.note, shown.length ? KEYS[this.kind] : NONE[this.kind]);
    this.tiles = shown.map((image) => tile(data, image));
    this.images.replaceChildren(...this.tiles.map(({ item }) => item));
  }

  /** Go to the network that stands for the slider's. */
  goTo() {
    this.percent = /** @type {any} */ (window).legrBudget ?? 100;
    this.update();
  }

  update() {
    const { data, percent } = this;
    const row = nearestRow(data.percent, percent);
    this.root.classList.toggle("bd-along-below", isBelowAll(data.percent, percent));
    setText(this.which, networkWords(data, percent));
    this.lines.forEach(({ now, way, text, lost }, place) => {
      const [first, top1] = [data.top1_of_listed[place][0], data.top1_of_listed[place][row]];
      const [from, to] = [first, top1].map((value) => this.place(value));
      now.style.left = `${to}%`;
      way.style.left = `${Math.min(from, to)}%`;
      way.style.width = `${Math.abs(from - to)}%`;
      setText(text, `${top1.toFixed(1)} %`);
      setText(lost, row ? points(top1 - first) : "");
    });
    for (const { image, item, text, was } of this.tiles) {
      const { text: words, isRight, before } = prediction(data, image, row);
      setText(text, `${isRight ? "✓" : "✗"} ${words}`);
      setText(was, before);
      item.classList.toggle("bd-along-wrong", !isRight);
      item.classList.toggle("bd-along-other", before !== "");
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
  const named = Object.assign(element("span", "bd-along-name", name), { title: name });
  item.append(named, track, text, lost);
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
  const [text, was] = [element("span", "bd-along-answer"), element("span", "bd-along-was")];
  item.append(picture, element("b", "", data.names[image.label]), text, was);
  return { item, image, text, was };
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
