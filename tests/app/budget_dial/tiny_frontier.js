// A frontier by hand: two networks of the learned ranking, one of the uniform ranking, and the original.

/** @returns {import("../../../app/budget_dial/frontend/types").FrontierData} */
export function tinyFrontier() {
  const line = (name, kind, ranking, rows) => ({ name, kind, ranking, rows, look: { mode: "markers" } });
  return {
    points: {
      network: [0, 1, 2, 0, 3],
      top1: [40, 92, 60, 91, 93],
      told: ["as cut", "as cut", "uniform", "trained", "original"],
    },
    networks: {
      ranking: ["learned", "learned", "uniform", "original"],
      percent: [20, 60, 40, 100],
      macs: [20, 60, 40, 100],
      params: [100, 150, 120, 200],
      latency: [4, 6, null, 5],
      latency_measured: [0, 1, 0, 1],
      before: [40, 92, 60, 93],
      together: [null, null, null, null],
      after: [91, null, null, null],
      opens: ["learned", "learned", "uniform", "original"],
      run: ["", "", "", ""],
      height: [32, 32, 32, 32],
    },
    lines: [
      line("Uniform, as cut", "as cut", "uniform", [2, 4]),
      line("Learned, as cut", "as cut", "learned", [0, 1, 4]),
      line("Learned, trained", "trained", "learned", [3]),
      line("Original", "original", "", [4]),
    ],
    rankings: [
      ["learned", "Learned"],
      ["uniform", "Uniform"],
    ],
    axes: [
      ["macs", "MACs"],
      ["latency", "Latency"],
    ],
    titles: { macs: "million MACs", latency: "latency, ms" },
    fit: { x: { macs: [15, 105], latency: [3.9, 6.1] }, y: [89, 94], error: [1.1, 0.8], ticks: [7, 8, 9, 10] },
    whole: { x: { macs: [15, 105], latency: [3.9, 6.1] }, y: [20, 98], error: [1.8, 0.8], ticks: [10, 20, 50] },
  };
}
