/** Plots as SVG. Each has a label, a title per mark, and figures beside it in a table or a list. */

import { h } from "./dom.js";
import { count, counted, hour } from "./format.js";
import { text } from "./pieces.js";

const WIDTH = 960;
const HEIGHT = 220;
const LEFT = 64;
const RIGHT = 8;
const TOP = 14;
const FOOT = 26;
const BOTTOM = HEIGHT - FOOT;
const INSIDE = WIDTH - LEFT - RIGHT;
const HOUR = 3_600_000;

/** marks: [{at, value, bad, warn}], one column each. */
export function columnsPlot(marks, { label, words, tick }) {
  const most = nice(Math.max(...marks.map((mark) => mark.value), 1));
  const step = INSIDE / Math.max(1, marks.length);
  const high = (value) => (value / most) * (BOTTOM - TOP);
  const column = (mark, index) => {
    const left = LEFT + index * step;
    const piece = (tone, value, below) =>
      value
        ? h("rect", {
            class: tone,
            x: left + step * 0.14,
            width: step * 0.72,
            y: BOTTOM - high(below + value),
            height: Math.max(1, high(value)),
            rx: Math.min(2, high(value) / 2),
          })
        : null;
    const good = Math.max(0, mark.value - (mark.bad ?? 0) - (mark.warn ?? 0));
    return h(
      "g",
      { class: "reading", key: mark.at },
      h("title", {}, `${span(mark.at)}: ${words(mark)}`),
      h("rect", { class: "reach", x: left, width: step, y: TOP, height: BOTTOM - TOP }),
      piece("main", good, 0),
      piece("warn", Math.min(mark.warn ?? 0, mark.value), good),
      piece("bad", Math.min(mark.bad ?? 0, mark.value), good + (mark.warn ?? 0)),
    );
  };
  const legend = marks.some((mark) => mark.bad || mark.warn)
    ? key([
        ["main", "done"],
        ["warn", "rejected"],
        ["bad", "failed"],
      ])
    : null;
  return h(
    "figure",
    { class: "plot" },
    drawing(label, [rules(most, tick), hours(marks, step), marks.map(column)]),
    legend,
  );
}

/** series: [{name, tone, marks: [{at, value or null}]}]; a line breaks where there is no value. */
export function linesPlot(series, { label, words, tick }) {
  const values = series.flatMap(({ marks }) => marks.map((mark) => mark.value ?? 0));
  const most = nice(
    Math.max(...values, 1),
    [
      2, 4, 6, 10, 20, 30, 60, 120, 240, 300, 600, 900, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800,
      604800,
    ],
  );
  const marks = series[0].marks;
  const step = INSIDE / Math.max(1, marks.length);
  const x = (index) => LEFT + (index + 0.5) * step;
  const y = (value) => BOTTOM - (value / most) * (BOTTOM - TOP);
  const line = ({ name, tone, marks: own }) =>
    h(
      "g",
      { class: `series ${tone}`, key: name },
      h("path", { d: path(own, x, y) }),
      own.map((mark, index) => (mark.value === null ? null : dot(mark, x(index), y(mark.value), tone))),
    );
  const reach = marks.map((mark, index) => {
    const said = series
      .filter((one) => one.marks[index].value !== null)
      .map((one) => `${one.name} took at most ${words(one.marks[index].value)}`);
    return h(
      "g",
      { class: "reading", key: mark.at },
      h("title", {}, `${span(mark.at)}: ${said.join(", ") || "nothing ended"}`),
      h("rect", { class: "reach", x: LEFT + index * step, width: step, y: TOP, height: BOTTOM - TOP }),
    );
  });
  return h(
    "figure",
    { class: "plot" },
    drawing(label, [rules(most, tick), hours(marks, step), series.map(line), reach]),
    key(series.map(({ tone, name }) => [tone, name])),
  );
}

/** The two lines differ in shape, too: round marks and square ones. */
function dot(mark, x, y, tone) {
  if (tone === "main") return h("circle", { key: mark.at, cx: x, cy: y, r: 3.2 });
  return h("rect", { key: mark.at, x: x - 2.8, y: y - 2.8, width: 5.6, height: 5.6 });
}

function path(marks, x, y) {
  return marks
    .map((mark, index) =>
      mark.value === null
        ? ""
        : `${marks[index - 1]?.value == null ? "M" : "L"}${x(index).toFixed(1)} ${y(mark.value).toFixed(1)}`,
    )
    .join("");
}

const span = (at) => `${hour(at)} to ${hour(at + HOUR)}`;

function drawing(label, content) {
  const said = `${label}. The figures are in the table below.`;
  return h(
    "div",
    { class: "plot-reach", tabindex: "0", role: "group", "aria-label": label },
    h("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said }, content),
  );
}

/** Round figures that people count in, whole when halved: the next one above the greatest value. */
function nice(value, steps) {
  if (steps) return steps.find((step) => step >= value) ?? value;
  const power = 10 ** Math.floor(Math.log10(value));
  return Math.max(
    2,
    [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((round) => round >= value),
  );
}

function rules(most, tick) {
  return [0, 0.5, 1].map((part) => {
    const y = BOTTOM - part * (BOTTOM - TOP);
    return h(
      "g",
      { class: "rule", key: part },
      h("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
      h("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, part ? tick(most * part) : "0"),
    );
  });
}

function hours(marks, step) {
  const every = marks.length > 12 ? 4 : 2;
  return marks.map((mark, index) =>
    index % every
      ? null
      : h(
          "text",
          { class: "hour", key: mark.at, x: LEFT + index * step + step / 2, y: HEIGHT - 8, "text-anchor": "middle" },
          hour(mark.at),
        ),
  );
}

function key(entries) {
  return h(
    "figcaption",
    { class: "legend" },
    entries.map(([tone, name]) => h("span", { key: name }, h("i", { class: tone, "aria-hidden": "true" }), name)),
  );
}

/** How the predicted values lie, as bars with their figures beside them: small enough to be read as a list. `total`: of all rows, 0 where it is not known. */
export function histogram({ column, bins, rows }, total) {
  const most = Math.max(...bins.map((bin) => bin.count), 1);
  const row = (bin, index) =>
    h(
      "li",
      { key: index },
      h("span", { class: "bin" }, text(String(bin.label))),
      h("span", { class: "length", "aria-hidden": "true", style: { "--part": (bin.count / most).toFixed(3) } }),
      h("span", { class: "amount" }, count(bin.count)),
    );
  const over = total > rows ? `the first ${count(rows)} of ${counted(total, "row")}` : counted(rows, "row");
  return h(
    "figure",
    { class: "histogram" },
    h("figcaption", {}, h("b", {}, text(column)), h("span", { class: "quiet" }, ` over ${over}`)),
    h("ul", {}, bins.map(row)),
  );
}
