/** Activity: how much went through in the last day, and how long it took. */

import { get } from "./api.js";
import { h } from "./dom.js";
import { count, counted, duration, exact, hour, instant } from "./format.js";
import { bones, nothing, panel, table, text } from "./pieces.js";
import { columnsPlot, linesPlot } from "./plots.js";

const MEASURES = { files: "Files", rows: "Rows", runs: "Runs" };

export const title = () => "Activity";
export const busy = () => false;

export const load = (_place, _before, signal) => get("stats", { hours: 24 }, signal);

export function view(stats, tools) {
  const measure = tools.place.query.show in MEASURES ? tools.place.query.show : "files";
  const total = (key) => stats.buckets.reduce((sum, bucket) => sum + bucket[key], 0);
  const figures = [
    ["Runs", count(total("runs"))],
    ["Files", count(total("files"))],
    ["Rows", count(total("rows"))],
    ["Failed", count(total("failed")), total("failed") ? "bad" : ""],
    ["Rejected", count(total("rejected")), total("rejected") ? "warn" : ""],
  ];
  return [
    h(
      "div",
      { class: "head" },
      h("h1", { tabindex: "-1" }, "Activity"),
      h("p", { class: "quiet" }, "The last 24 hours, hour by hour"),
    ),
    h(
      "dl",
      { class: "figures" },
      figures.map(([name, value, tone]) => h("div", { key: name, class: tone }, h("dt", {}, name), h("dd", {}, value))),
    ),
    throughput(stats, measure),
    latency(stats),
    perRoute(stats),
    asTable(stats),
  ];
}

function throughput({ buckets }, measure) {
  const marks = buckets.map((bucket) => ({
    at: instant(bucket.at),
    value: bucket[measure],
    bad: measure === "rows" ? 0 : bucket.failed,
    warn: measure === "rows" ? 0 : bucket.rejected,
  }));
  if (!buckets.some((bucket) => bucket.runs))
    return panel(
      "Throughput",
      {},
      nothing("activity", "Nothing was scored in the last day", "Drop a CSV into the inbox, and it is counted here."),
    );
  const choose = h(
    "nav",
    { class: "row chips", "aria-label": "What is counted" },
    Object.entries(MEASURES).map(([key, label]) =>
      h(
        "a",
        { key, class: "chip", href: `#/activity?show=${key}`, "aria-current": key === measure ? "true" : null },
        label,
      ),
    ),
  );
  const words = (mark) =>
    `${counted(mark.value, measure.slice(0, -1))}${mark.bad ? `, ${mark.bad} failed` : ""}${mark.warn ? `, ${mark.warn} rejected` : ""}`;
  return panel(
    "Throughput",
    { more: choose },
    columnsPlot(marks, { label: `${MEASURES[measure]} per hour`, words, tick: count }),
  );
}

function latency({ buckets }) {
  const series = [
    { name: "half of the runs", tone: "main", marks: marksOf(buckets, "p50_seconds") },
    { name: "95 of 100 runs", tone: "second", marks: marksOf(buckets, "p95_seconds") },
  ];
  if (series.every(({ marks }) => marks.every((mark) => mark.value === null)))
    return panel("From drop to predictions", {}, nothing("clock", "No run has ended in the last day", ""));
  return panel(
    "From drop to predictions",
    { note: "how long runs took at most" },
    linesPlot(series, {
      label: "Seconds from the drop of a run’s first file to its end",
      words: duration,
      tick: duration,
    }),
  );
}

const marksOf = (buckets, key) => buckets.map((bucket) => ({ at: instant(bucket.at), value: bucket[key] ?? null }));

function perRoute({ routes }) {
  const columns = [
    {
      name: "Route",
      class: "wide",
      cell: (route) => h("a", { href: `#/runs?route=${encodeURIComponent(route.name)}` }, text(route.name)),
    },
    { name: "Runs", class: "number", cell: (route) => count(route.runs) },
    {
      name: "Usually takes",
      class: "number",
      cell: (route) => (route.typical_seconds ? duration(route.typical_seconds) : "–"),
    },
  ];
  const rows = Object.entries(routes).map(([name, figures]) => ({ key: name, name, ...figures }));
  return panel(
    "By route",
    {},
    rows.length ? table("The last day by route", columns, rows) : nothing("activity", "No route has had a run", ""),
  );
}

function asTable({ buckets }) {
  const seconds = (value) => (value === null || value === undefined ? "–" : duration(value));
  const columns = [
    {
      name: "Hour",
      cell: (bucket) => h("time", { datetime: bucket.at, title: exact(instant(bucket.at)) }, hour(instant(bucket.at))),
    },
    ...["runs", "files", "rows", "failed", "rejected"].map((key) => ({
      name: key.charAt(0).toUpperCase() + key.slice(1),
      class: "number",
      cell: (bucket) => count(bucket[key]),
    })),
    { name: "Half within", class: "number", cell: (bucket) => seconds(bucket.p50_seconds) },
    { name: "95 of 100 within", class: "number", cell: (bucket) => seconds(bucket.p95_seconds) },
  ];
  const rows = buckets.map((bucket) => ({ ...bucket, key: bucket.at }));
  return h(
    "details",
    { class: "panel" },
    h("summary", {}, "The same as a table"),
    table("Throughput and latency by hour", columns, rows, { class: "dense" }),
  );
}

export const skeleton = () => [
  h(
    "div",
    { class: "head" },
    h("h1", { tabindex: "-1" }, "Activity"),
    h("p", { class: "quiet" }, "The last 24 hours, hour by hour"),
  ),
  bones(1, "figures"),
  bones(7, "throughput"),
  bones(7, "latency"),
];
