// Types of the dial. The first part is what Python sends and receives: app/budget_dial/types.py, card_types.py and
// along_types.py declare the same fields, and a test holds them together. S budgets of the slider, from the smallest network to the
// largest; L layers whose filters can be ranked; C columns of the lane map, one for every layer; P points of the
// frontier, N networks.

export type Lens = "filters" | "percent" | "macs" | "params" | "time" | "together";
export type QuantityName = "macs" | "params" | "size" | "latency" | "fps" | "top1";
export type ChartName = "layers" | "frontier";
export type FileFormat = "png" | "svg" | "csv";
export type Cell = string | number | null;

export interface DialData {
  id: string; // of the table
  study: string;
  title: string; // of the study, as a person would say it
  facts: string[]; // of the study, one line each
  ranking: string;
  rankings: [string, string][]; // that can be chosen: value and caption of each; []: none can
  sizes: number[]; // heights of images that can be chosen, pixels; the largest first
  size: number; // the chosen one
  table: TableData;
  original: NetworkFigures;
  note: string; // where latency and accuracy come from
  remedy: string; // what to do where a budget is out of reach
  charts: DialCharts | null; // null: the slider stands alone
  opened: OpenedData | null; // shown in place of the slider's network until the slider moves
  view: DialView;
}

/** What the user chose, as it was when something else than the dial last changed it. */
export interface DialView {
  jumps: number; // with another number the dial takes over all of it, and its slider goes to `table.start`
  heard: number; // number of the last report that Python had heard by then; what a later one said first counts more
  compared: number | null; // per cent of the MACs of the network that others are compared with; null: the original
  by: QuantityName; // in which the budget is given
  lens: Lens; // what is shown of each layer
  axis: string; // the cost that accuracy is drawn over
  whole: boolean; // the frontier shows the whole range, not only networks that one would take
  error: boolean; // its accuracy stands on a logarithmic scale of the error
  others: string[]; // rankings that it shows beside the chosen one
  ask: string; // the question that is asked; "": none
  layer: string; // the layer whose card is open; "": none
  address: string; // what the address line says of it, and of all else; a browser's may have come to say something else
}

export interface OpenedData {
  run: string; // key of the fine-tuning run
  table: TableData; // with one row
  note: string; // how it relates to the order of today, and where its figures come from
}

export interface TableData {
  percent: number[]; // [S], the budget, per cent of the original's MACs
  macs: number[]; // [S]
  own_macs: number[] | null; // [S], with images of the study's own height; null: those are shown
  params: number[]; // [S]
  latency: (number | null)[]; // [S], milliseconds; with predictions only what was measured
  latency_measured: number[]; // rows measured at this very network; others are read between two measured networks
  predicted: PredictedData | null; // null: the device has no profile
  before: (number | null)[]; // [S], top-1 before fine-tuning, in [0, 1]
  before_measured: number[]; // rows
  after: (number | null)[]; // [S], top-1 with trained weights, in [0, 1]
  after_measured: number[]; // rows
  after_together: number[]; // rows whose `after` is of weights that were trained together with those of all budgets
  together_off: TogetherOff | null; // null: not known, or nothing was trained together
  layers: LayerData[]; // [L]
  axis_totals: number[]; // of every axis that layers have, its size in the original
  axis_sizes: number[][]; // and in the networks: the first, then by how much it is above the one before; -n: n times not
  batch: number; // images of one timed forward pass
  start: number; // the row at which the slider begins
}

/** How far networks between the measured ones that were trained together lie from what is read there. */
export interface TogetherOff {
  networks: number; // that were measured to know it
  most: number; // top-1 in [0, 1]
}

/** What networks take on the device that is shown, predicted by its profile. */
export interface PredictedData {
  latency: number[]; // [S], milliseconds
  layers: number[][]; // [L], a time, then in how many networks in a row it is; [] where nothing shows layers
  unit: number[]; // [S], milliseconds that such a time is in
  original: number[]; // [L], milliseconds of the original's layers
}

/** What the same ranking takes in multiples of filters, at the budgets of the table. */
export interface RoundingData {
  multiple: number;
  latency: (number | null)[]; // [S], milliseconds, predicted; null: below its floor
  macs: (number | null)[]; // [S]
}

/** A cost is a number, followed by the axes whose sizes it is multiplied by. */
export interface LayerData {
  name: string;
  filters: number; // the axis whose size says how many filters are kept
  params: number[]; // of its weight
  macs: number[][]; // their sum
}

export interface LanesData {
  columns: string[]; // [C], names of all layers, in order of execution
  lanes: LaneData[];
  n_rows: number;
}

export interface LaneData {
  row: number;
  writers: number[]; // columns, rising
  readers: number[]; // columns, rising
  shortcuts: string[]; // modules that read the lane by an index
  fixed: boolean; // a single layer that cannot be pruned
}

export interface NetworkFigures {
  macs: number;
  params: number;
  latency: number | null; // milliseconds
  predicted: number | null; // milliseconds
  before: number | null; // top-1 before fine-tuning, in [0, 1]
  after: number | null;
}

export interface DialCharts {
  device: string; // the conditions whose latencies are shown; "": there is no latency
  devices: string[]; // names of all conditions under which networks were timed, or that have a profile
  roundings: RoundingData[]; // that would gain time
  elsewhere: boolean; // they are of another machine than the one that serves the pages
  add_device: [string, string][]; // how one measures on another machine, step by step: words, and what to copy
  frontier: FrontierData | null; // null: nothing was measured
  nothing_measured: string; // what is said then
  lanes: LanesData;
  style: ChartStyle;
}

export interface FrontierPoints {
  network: number[]; // [P]
  top1: number[]; // [P], per cent
  told: string[]; // [P], what the pointer shows, line by line; the first is its name
}

export interface FrontierNetworks {
  ranking: string[]; // [N]
  percent: number[]; // [N], of the original's MACs
  macs: number[]; // [N], millions
  params: number[]; // [N], thousands
  latency: (number | null)[]; // [N], milliseconds
  latency_measured: number[]; // [N]; 0: predicted, or read between two measured networks
  before: (number | null)[]; // [N], top-1 as cut, per cent
  together: (number | null)[]; // [N], trained together with all budgets
  after: (number | null)[]; // [N], fine-tuned
  opens: string[]; // [N], the ranking in which a click opens it; "": none
  run: string[]; // [N], key of the fine-tuning run that a click opens instead; "": none
  height: number[]; // [N], of the images, pixels
}

export interface FrontierLine {
  name: string;
  kind: string; // what its label says; "": it has none
  ranking: string; // "": always shown
  rows: number[]; // of the points, by rising MACs
  look: { mode: string; [option: string]: unknown }; // Plotly's
}

export interface FrontierRanges {
  x: { [axis: string]: [number, number] };
  y: [number, number]; // per cent
  error: [number, number]; // logarithms (base 10) of the error in per cent
  ticks: number[]; // errors in per cent
}

export interface FrontierData {
  points: FrontierPoints;
  networks: FrontierNetworks;
  lines: FrontierLine[];
  rankings: [string, string][]; // value and caption of each that has a line
  axes: [string, string][]; // costs that accuracy can be drawn over
  titles: { [axis: string]: string };
  fit: FrontierRanges; // the networks that one would take
  whole: FrontierRanges;
}

export interface ChartStyle {
  colours: { [name: string]: string }; // of rankings, and of "finetuned", "original" and "removed"
  layout: ChartLayout; // what all charts share
  config: object; // Plotly's
  ink: string; // of a saved picture
  paper: string;
}

/** What the dial reports to Python: every choice made since it took over a view. */
export interface ViewChange {
  number: number; // of the report; they rise
  choices: Choice[]; // the latest of each name
}

export interface Choice {
  name:
    | "budget"
    | "compared"
    | "by"
    | "ranking"
    | "ask"
    | keyof ChartChoices
    | "device"
    | "run"
    | "open"
    | "page"
    | "multiple"
    | "size"
    | "layer"
    | "pin";
  value: unknown;
  number: number; // of the report that said it first
}

/** Another layer whose filters leave with those of a layer. */
export interface PartnerData {
  layer: string;
  shared: number; // filters of the layer that leave with some of this one's
}

/** Filters that read pictures, as pictures. */
export interface KernelsData {
  height: number;
  width: number;
  pixels: string[]; // of each filter, in the order of the card: height x width colours as hexadecimal RGB
}

/** Why a layer keeps the filters that it keeps; K filters, the first to leave first. */
export interface CardData {
  id: string; // of the table that it is shown beside
  layer: string;
  ranking: string;
  alpha: number | null; // null: the ranking compares places in groups
  kappa: number | null;
  numbers: number[]; // [K], of the filters in the layer
  norms: number[]; // [K]
  own: number[]; // [K]
  scores: (number | null)[]; // [K]; null: it can never leave
  gone_below: (number | null)[]; // [K], per cent of the original's MACs; 0: it stays always; null: pins remove it
  partners: PartnerData[];
  kernels: KernelsData | null;
}

/** What the network of a budget would cost if a layer kept another number of filters; N numbers, rising. */
export interface CostsData {
  id: string; // of the table that they are shown beside
  layer: string;
  ranking: string;
  kept: number[]; // [N]
  macs: number[]; // [N]
  params: number[]; // [N]
  latency: number[] | null; // [N], milliseconds, predicted; null: the device has no profile
}

/** A test image, and what the networks along the slider predict; B networks, C classes that are listed. */
export interface ImageAlong {
  number: number; // among all test images, from 1
  label: number; // index into `names`
  picture: string; // data URL of a PNG
  classes: number[]; // [B], indices into `names`
  percent: number[]; // [B], probability of that class
}

/** Which classes lose accuracy, and how test images are classified, along the slider. */
export interface AlongData {
  percent: number[]; // [B], of the original's MACs
  top1: number[]; // [B], per cent of all test images
  trained: boolean; // together with all budgets; else the networks are as they are cut
  listed: string[]; // [C], the class that loses most first
  top1_of_listed: number[][]; // [C][B], per cent of the images of the class
  names: string[]; // of all classes
  images: ImageAlong[]; // of different classes
  changing: ImageAlong[]; // those that change first
}

/** A layer that is to keep exactly so many filters at every budget. */
export interface Pin {
  layer: string;
  filters: number;
}

export interface OpenNetwork {
  percent: number; // of the original's MACs
  ranking: string;
  size: number; // height of its images, pixels
}

// -- beyond what Python declares --------------------------------------------------------------------------------------

export interface MountedData extends DialData {
  plotly: string; // address of Plotly's script
}

/** What the dial works with: what Python sends, its tables read. */
export interface ShownData extends Omit<MountedData, "table" | "opened"> {
  table: DialTable;
  opened: OpenedNetwork | null;
}

export interface OpenedNetwork extends Omit<OpenedData, "table"> {
  table: DialTable; // with one row
}

/** A table as the scripts read it: one row a network, and in it one cell a layer. */
export interface DialTable {
  percent: number[]; // [S], the budget, per cent of the original's MACs
  stated: number[]; // [S], the budget as the dial says it; with images of another height what the network costs
  own_percent: number[]; // [S], what the network of that budget costs with the study's own images, per cent of the MACs
  macs_percent: number[]; // [S], the same with images of the chosen height; both of the original's with its own
  macs: number[]; // [S]
  params: number[]; // [S]
  latency: (number | null)[]; // [S], milliseconds
  latency_measured: boolean[]; // [S], whether at this very network; others are read between two measured networks
  predicted: (number | null)[]; // [S], milliseconds; null: the device has no profile
  before: (number | null)[]; // [S], top-1 before fine-tuning, in [0, 1]
  before_measured: boolean[]; // [S]
  after: (number | null)[]; // [S], top-1 with trained weights, in [0, 1]
  after_measured: boolean[]; // [S]
  after_together: boolean[]; // [S], whether `after` is of weights that were trained together with those of all budgets
  together_off: TogetherOff | null;
  layers: string[]; // [L]
  totals: Float64Array; // [L], filters of the original
  original_macs: Float64Array; // [L]
  original_params: Float64Array; // [L]
  kept: Float64Array[]; // [S][L], filters
  layer_macs: Float64Array[]; // [S][L]
  layer_params: Float64Array[]; // [S][L], of the layer's weight
  layer_times: Float64Array[]; // [S][L], milliseconds, predicted; [] where they are not known
  original_times: Float64Array; // [L]
  batch: number; // images of one timed forward pass
  start: number; // the row at which the slider begins
}

/** What the charts show. */
export type ChartChoices = Pick<DialView, "lens" | "axis" | "whole" | "error" | "others" | "layer">;

export type SetTrigger = (name: "view", change: ViewChange) => void;

/** The lanes of a network, and how many filters a pruned one keeps; L layers that can lose some. */
export interface LanesPageData {
  layers: string[]; // [L], names
  totals: number[]; // [L], filters of the original
  kept: number[]; // [L]
  lanes: LanesData;
  layer: string; // whose card was opened last; "": none
  style: ChartStyle;
}

/** A box of the map: what a network came from, or a network itself. */
export interface LineageOrigin {
  key: string;
  parent: number | null; // index of the box that it came from
  column: number;
  row: number; // from the top
  title: string;
  told: string; // further facts; "": none
  top1: number | null; // per cent
  shade: number | null; // place of `top1` between the lowest and the highest, in [0, 1]
  today: boolean; // today's rankings lead there
  chosen: boolean;
}

/** Where the networks of a study came from; a box stands before those that came from it. */
export interface LineageData {
  columns: string[]; // titles
  origins: LineageOrigin[];
  rows: number;
  lowest: number | null; // top-1, per cent; null: nothing was measured
  highest: number | null;
}

/** What the dial shows at this moment. `Dial` alone changes it; the controls and the charts read it. */
export interface DialState {
  data: ShownData;
  row: number; // of the table
  comparedPercent: number | null; // the budget compared with; null: the original
  comparedRow: number | null; // of the network of that budget
  quantity: QuantityName;
  scale: SliderScale; // of the quantity
  charts: ChartChoices;
  opened: OpenedNetwork | null; // shown in place of the network of `row`
  answer: Answer | null; // to the question that was asked
  typed: string | null; // the limit as it was typed, until the slider moves
}

/** How the frontier is drawn: as the user chose, as far as the study has it. */
export type FrontierOptions = Omit<ChartChoices, "lens" | "layer">;

/** Where a point or a mark of the frontier is on its chart. */
export interface Place {
  x: number; // pixels
  y: number;
  told: string; // what the pointer shows, line by line
  network: number | null; // null: a mark of the slider's network
}

export type NetworkAction = "go" | "hold" | "export";

/** A column of the list of networks. */
export interface NetworkColumn {
  name: string;
  caption: string;
  value: (frontier: FrontierData, network: number) => Cell;
  show: (value: Cell, frontier: FrontierData, network: number) => string;
  difference?: (frontier: FrontierData, network: number) => string; // to the original
}

/** A way to show every layer as a bar. */
export interface BarLens {
  unit: string;
  kept: (table: DialTable, row: number, layer: number) => number; // height of the bar of a network
  original: (table: DialTable, layer: number) => number; // and of the original
  told: ("filters" | "macs" | "params" | "time")[]; // what the pointer tells of a layer
}

/** A way to give a budget. */
export interface Quantity {
  caption: string;
  unit: (table: DialTable) => string;
  at: (table: DialTable, row: number) => number | null; // the value shown
  cost?: (table: DialTable, row: number) => number | null; // what counts against a limit, where it is not that value
  all?: (table: DialTable, original: NetworkFigures) => number; // the original's; the slider then begins at zero
  show: (value: number) => string;
  words?: (table: DialTable, row: number) => string; // the value with its unit, where it is not `show` and `unit`
  larger: boolean; // whether more of it means a larger network
  bound: "at most" | "at least"; // what a limit is
}

/** Where the networks stand on the slider. */
export interface SliderScale {
  places: number[]; // [S], in [0, 1], rising
  unknown: [number, number][]; // parts of the slider of whose networks the quantity is not known
}

export type Preset = "fastest" | "balanced" | "nearest";

/** A question that leads to a network. */
export type Question =
  { kind: "need"; quantity: QuantityName; limit: number } | { kind: "loss"; points: number } | { kind: Preset };

export interface Answer {
  text: string;
  row: number | null; // of the network that it leads to; null: to none
  points?: number; // of accuracy, within which a network was asked for
  asked?: string; // the question that it is to, as the address line says it
}

/** Networks without loss. */
export interface LossBand {
  points: number; // within which of the original
  row: number; // of the smallest trained one of them
  last: number; // and of the largest: of those between it and the original nothing is known
  top1: number; // of the original, per cent
}

/** Networks of a table that are no faster than the largest of them. */
export interface SlowPart {
  first: number; // row
  last: number;
  measured: number[]; // rows whose measured latency says so; [] where it is predicted
}

/** What the headline says of a network. */
export interface HeadlineNetwork {
  percent: number; // of the original's MACs
  trained: number | null; // top-1 in [0, 1]
  trainedIsMeasured: boolean; // else it lies between two measured networks
  cut: number | null; // top-1 without fine-tuning
  cutIsMeasured: boolean;
  latency: number | null; // milliseconds
  latencyIsMeasured: boolean;
  predicted: number | null; // milliseconds
  smaller: { percent: number; top1: number } | null; // trained, and more accurate than this one as cut
}

/** One figure below the slider. */
export interface Figure {
  caption: string;
  value: string;
  difference: string; // to the network compared with
  lessIsBetter: boolean;
  remark: string;
  hint: string; // what the pointer shows of it
  unknown: string; // what is said in place of a value that is not known
}

/** A lane with the rows of the table's lists that belong to its writers. */
export interface Lane extends LaneData {
  layers: number[]; // indices into `DialTable.layers`; of a fixed lane none
  first: number; // the leftmost column
  last: number; // the rightmost column
}

export interface Section {
  first: number; // column
  length: number; // in columns
  name: string;
}

// -- the parts of Plotly that the charts use --------------------------------------------------------------------------

export interface ChartLayout {
  height: number;
  font: { family: string; size: number };
  [option: string]: unknown;
}

/** A chart of another page than Explore, which Python has made whole. */
export interface MountedFigure {
  figure: string; // Plotly's own JSON
  config: object;
  alt: string;
  plotly: string; // address
}

export interface WholeLayout {
  height: number;
  meta?: { narrow?: { [option: string]: unknown } }; // what is different in a narrow window
  [option: string]: unknown;
}

export interface PlotlyLibrary {
  react(chart: HTMLElement, data: object[], layout: object, config: object): Promise<unknown>;
  react(
    chart: HTMLElement,
    figure: { data: object[]; layout: object; config: object; frames: object[] },
  ): Promise<unknown>;
  purge(chart: HTMLElement): void;
  toImage(figure: { data: object[]; layout: object }, options: object): Promise<string>;
  Plots: { resize(chart: HTMLElement): Promise<unknown> };
}

export interface PlotlyAxis {
  range: [number, number];
  _offset: number; // pixels
  _length: number; // pixels
  c2p(value: number): number; // from a calculated coordinate, so also of a logarithmic axis, to pixels
  l2p(value: number): number; // from a linear coordinate to pixels
}

/** What Plotly keeps on the element of a chart that it has drawn. */
export interface PlotlyChart extends HTMLElement {
  data: object[];
  layout: object;
  calcdata: { p0: number; p1: number; trace: { uid: string } }[][];
  _fullLayout?: { xaxis: PlotlyAxis; yaxis: PlotlyAxis };
}

declare global {
  interface Window {
    Plotly?: PlotlyLibrary;
  }
}
