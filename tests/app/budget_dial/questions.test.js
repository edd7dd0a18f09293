import assert from "node:assert/strict";
import { test } from "node:test";

import { lossBand } from "../../../app/budget_dial/frontend/losses.js";
import { answerTo, parseQuestion, questionText, whereTimed } from "../../../app/budget_dial/frontend/questions.js";
import { tinyTable } from "./tiny_table.js";

const original = { macs: 100, params: 4_000_000, latency: 7, before: 0.93, after: 0.93 };
const remedy = "A smaller network would help.";

/** Networks of 20, 40, 60, 80 and 100 %: all measured, three of them trained. */
function table(columns = {}) {
  const macs = [20, 40, 60, 80, 100];
  const yes = macs.map(() => 1);
  return {
    ...tinyTable(),
    percent: macs,
    macs_percent: macs,
    macs,
    params: macs.map((n) => 40_000 * n),
    latency: [4, 5, 6, 8, 7],
    latency_measured: yes,
    before: [0.1, 0.5, 0.8, 0.9, 0.93],
    before_measured: yes,
    after: [0.88, 0.92, 0.928, null, null],
    after_measured: [1, 1, 1, 0, 0],
    batch: 1,
    ...columns,
  };
}

function ask(text, columns) {
  return answerTo(parseQuestion(text), table(columns), original, remedy);
}

test("a question is read as it is written, and nonsense is none", () => {
  for (const text of ["fps:30", "latency:4.5", "top1:92", "loss:0.5", "fastest", "balanced"]) {
    assert.equal(questionText(parseQuestion(text)), text);
  }
  for (const text of ["", "fps", "fps:", "fps:x", "toString:3", "loss:-1", "fastest:3", "<b>:1"]) {
    assert.equal(parseQuestion(text), null);
  }
});

test("what the original does already is said, and by how much", () => {
  // 1000 / 7 ms = 142.9 frames a second
  assert.deepEqual(ask("fps:30"), {
    text: "The original already reaches 143 frames a second, 113 more than you asked.",
    row: 4,
  });
  assert.equal(ask("latency:9").text, "The original already takes 7.0 ms, 2.0 less than you asked.");
  assert.equal(ask("size:20").text, "The original already has 16.0 MB of weights, 4.0 less than you asked.");
  assert.equal(ask("latency:7").text, "The original already takes 7.0 ms, just what you asked.");
});

test("a need leads to the largest network that meets it, and says what is lost", () => {
  assert.deepEqual(ask("latency:6.5"), {
    text: "For at most 6.5 ms, 60 % of the work: 92.8 %, 0.2 points lost.",
    row: 2,
  });
  assert.equal(ask("fps:220").text, "For at least 220 frames a second, 20 % of the work: 88.0 %, 5.0 points lost.");
  const untrained = ask("latency:6.5", { after: [0.88, null, null, null, null] }).text;
  assert.equal(
    untrained,
    "For at most 6.5 ms, 20 % of the work: 4.0 ms, 88.0 %, 5.0 points lost; 60 % would just do: not trained, 80.0 % as cut.",
  );
  const nothing = { after: [null, null, null, null, null], after_measured: [0, 0, 0, 0, 0] };
  assert.equal(ask("latency:6.5", nothing).text, "For at most 6.5 ms, 60 % of the work: not trained, 80.0 % as cut.");
});

test("a smaller network that was trained comes before a larger one that was not", () => {
  // 1000 / 6.5 ms: 80 % takes 6.4 ms and was not trained, 60 % takes 6 and was
  const latency = [4, 5, 6, 6.4, 7];
  assert.deepEqual(ask("latency:6.5", { latency }), {
    text: "For at most 6.5 ms, 60 % of the work: 6.0 ms, 92.8 %, 0.2 points lost; 80 % would just do: not trained, 90.0 % as cut.",
    row: 2,
  });
  const better = ask("latency:6.5", { latency, before: [0.1, 0.5, 0.8, 0.9295, 0.93] });
  assert.equal(better.row, 3); // it is more accurate as cut than any that was trained
  assert.equal(ask("latency:6.5", { latency, latency_measured: [1, 1, 0, 1, 1] }).row, 1); // 60 % was not timed
  const between = ask("latency:6.5", { latency, after: [0.88, 0.92, 0.928, 0.935, null] });
  assert.equal(between.row, 3); // read between two that were trained, it is better
});

test("an answer about time says on which device", () => {
  const { text } = answerTo(parseQuestion("fps:220"), table(), original, remedy, "Robot, 1 thread");
  assert.equal(text, "For at least 220 frames a second (Robot, 1 thread), 20 % of the work: 88.0 %, 5.0 points lost.");
  assert.ok(!answerTo(parseQuestion("size:8"), table(), original, remedy, "Robot").text.includes("Robot"));
});

test("a loss is the difference of the accuracies beside it", () => {
  const { text } = answerTo(
    parseQuestion("latency:6.5"),
    table({ after: [0.88, 0.92, 0.9252, null, null] }),
    { ...original, after: 0.9296 },
    remedy,
  );
  assert.match(text, /92.5 %, 0.5 points lost/);
});

test("what is out of reach keeps what was asked and says what would help", () => {
  assert.deepEqual(ask("fps:1000"), {
    text: "Out of reach: at least 1000 frames a second. This ranking's fastest network reaches 250. A smaller network would help.",
    row: null,
  });
  assert.match(ask("fps:-5").text, /more than 0 frames a second, got -5/);
  assert.equal(ask("fps:-5").row, null);
  assert.match(ask("latency:3", { latency: [null, 5, 6, 8, 7] }).text, /fastest measured network needs 5.00/);
  assert.equal(ask("latency:3", { latency: [null, null, null, null, null] }).row, null);
});

test("an accuracy leads to the smallest network that has it", () => {
  assert.deepEqual(ask("top1:92"), {
    text: "For at least 92 % top-1, trained, 40 % of the work: 92.0 %, 1.0 points lost.",
    row: 1,
  });
  assert.match(ask("top1:92.9").text, /Only the original is known to reach/);
  assert.deepEqual([ask("top1:92.9").row, ask("top1:95").row], [4, null]);
  assert.match(ask("top1:95").text, /best known here has 93.00 %/);
});

test("no choice is a network whose accuracy is read between two others", () => {
  const columns = { after: [0.88, 0.925, 0.928, 0.929, null], after_measured: [1, 0, 1, 0, 0] };
  assert.equal(ask("top1:92", columns).row, 2); // 40 % would do as it is read
  assert.equal(ask("top1:92.9", columns).row, 4); // so would 80 %
  assert.deepEqual([ask("loss:0.5", columns).row, ask("loss:0.1", columns).row], [2, null]);
  for (const preset of ["fastest", "balanced", "nearest"]) assert.ok([0, 2].includes(ask(preset, columns).row));
  assert.deepEqual(lossBand(table(columns), original, null), { points: 0.5, row: 2, last: 2, top1: 93 });
});

test("without loss: the smallest trained network, and where it was measured", () => {
  assert.deepEqual(ask("loss:0.5"), {
    text: "Within 0.5 points of the original: 60 % has 92.8 %, 0.2 points lost (measured at 60 %); 40 % has 92.0 %, 1.0 points lost.",
    row: 2,
    points: 0.5,
  });
  assert.equal(ask("loss:1").row, 1); // exactly one point
  assert.match(ask("loss:1").text, /measured at 40 and 60 %/);
  assert.equal(ask("loss:0.1").row, null);
  assert.match(ask("loss:0.1").text, /nearest, 60 % has 92.8 %, 0.2 points lost/);
});

test("a network that loses more between two that do not is said", () => {
  const { text, row } = ask("loss:0.5", { after: [0.929, 0.92, 0.928, null, null] });
  assert.equal(row, 0);
  assert.match(text, /measured at 20 and 60 %; but not at 40 %/);
});

test("nothing trained: no answer, and what to do", () => {
  for (const text of ["loss:0.5", "fastest", "balanced", "nearest", "top1:90"]) {
    const none = {
      after: [null, null, null, null, null],
      after_measured: [0, 0, 0, 0, 0],
      before: [null, null, null, null, null],
    };
    assert.equal(ask(text, none).row, null);
    assert.match(ask(text, none).text, /fine-tuned yet/);
  }
});

test("presets are among the trained networks", () => {
  assert.equal(ask("fastest").row, 0);
  assert.equal(ask("nearest").row, 2);
  // above the line from 88 % at 20 to 93 % at 100: 40 has 4.00 - 1.25 = 2.75, 60 has 4.80 - 2.50 = 2.30
  assert.equal(ask("balanced").row, 1);
  assert.equal(
    ask("balanced").text,
    "Best balance of 3 trained networks: 40 % of the work, 5.00 ms, 92.0 %, 1.0 points lost.",
  );
});

test("one trained network is one", () => {
  const one = { after: [null, 92, null, null, 93].map((top1) => top1 && top1 / 100), after_measured: [0, 1, 0, 0, 0] };
  assert.match(ask("nearest", one).text, /^Nearest to the original of the one trained network: 40 % of the work/);
});

test("the fastest is so by its measured latency, among those that were timed", () => {
  assert.equal(ask("fastest", { latency: [6, 5, 7, 8, 7] }).row, 1);
  const untimed = ask("fastest", { latency: [6, 5, 4, 8, 7], latency_measured: [1, 1, 0, 1, 1] }); // 60 % was not timed
  assert.equal(untimed.row, 1);
  assert.match(untimed.text, /^Fastest of 2 trained and timed networks: 40 % of the work, 5.00 ms/);
});

test("the band without loss ends at the largest trained network: what lies between it and the original is not known", () => {
  const band = lossBand(table(), original, null);
  assert.deepEqual(band, { points: 0.5, row: 2, last: 2, top1: 93 }); // 60 % has 92.8 %, 80 % was not trained
  const one = lossBand(table(), original, ask("loss:1"));
  assert.deepEqual(one, { points: 1, row: 1, last: 2, top1: 93 });
  assert.equal(lossBand(table(), original, ask("loss:0.1")), null);
});

test("a loss is told by the accuracies as they are shown, and as it was asked for", () => {
  const columns = { after: [0.88, 0.925, 0.928, null, null] };
  const near = answerTo(parseQuestion("loss:0.5"), table(columns), { ...original, after: 0.9304 }, remedy);
  assert.equal(near.row, 1); // 93.0 and 92.5 are shown
  assert.match(answerTo(parseQuestion("loss:0.25"), table(), original, remedy).text, /^Within 0.25 points/);
});

test("a device that is another machine is said to be so", () => {
  assert.equal(whereTimed({ device: "Robot, 1 thread", elsewhere: true }), "Robot, 1 thread; not this machine");
  assert.equal(whereTimed({ device: "Robot, 1 thread", elsewhere: false }), "Robot, 1 thread");
  assert.equal(whereTimed({ device: "", elsewhere: false }), "");
});

test("where the original was not measured, that is said, and not that nothing is trained", () => {
  const unknown = { ...original, before: null, after: null };
  const say = (text) => answerTo(parseQuestion(text), table(), unknown, remedy);
  const missing = { text: "The original was not measured yet: Measure the frontier, below, does so.", row: null };
  assert.deepEqual(say("loss:0.5"), { ...missing, points: 0.5 });
  assert.deepEqual(say("balanced"), missing);
  assert.equal(say("fastest").row, 0); // for which it does not count
});
