/** Runs: all of them, by state, route, outcome and age, page by page. */

import { get, now } from "./api.js";
import { h } from "./dom.js";
import { count, counted, duration, plain } from "./format.js";
import { icon } from "./icons.js";
import {
  ago,
  bones,
  deadlineBar,
  hasScored,
  message,
  nothing,
  panel,
  runBadge,
  runLink,
  table,
  text,
  time,
  took,
} from "./pieces.js";
import { OUTCOMES } from "./words.js";

const PER_PAGE = 50;
const AGES = { "": "any time", 1: "the last hour", 24: "the last day", 168: "the last week", 720: "the last 30 days" };
const STATES = { "": "open and finished", open: "open", closed: "finished" };
/** The pages that led to a page: the way back to newer ones, which no cursor knows. */
const newer = new Map();

export const title = () => "Runs";
export const busy = (data) => data.runs.some((run) => run.stage !== "closed");

export async function load({ query }, before, signal, show) {
  const { hours, ...rest } = query;
  const since = hours ? new Date(now() - hours * 3_600_000).toISOString() : "";
  const page = get("runs", { ...rest, since, limit: PER_PAGE }, signal);
  if (before?.routes) return { ...(await page), routes: before.routes };
  const routes = get("routes", {}, signal);
  // The filter may have its names later than the table its rows.
  routes.catch(() => {});
  show(await page);
  return { ...(await page), routes: (await routes).routes.map((route) => route.name) };
}

export function view(data, tools) {
  const { query } = tools.place;
  return [
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Runs")),
    filters(data.routes ?? [], query),
    panel(
      "Runs",
      { note: query.after ? "an older page" : "newest first" },
      data.runs.length ? runsTable(data.runs, tools) : none(query),
      pages(data, query),
    ),
  ];
}

function filters(routes, query) {
  const known = query.route && !routes.includes(query.route) ? [query.route, ...routes] : routes;
  const named = Object.fromEntries([["", "all routes"], ...known.map((name) => [name, name])]);
  const outcomes = Object.fromEntries([["", "any outcome"], ...OUTCOMES.map((word) => [word, word])]);
  return h(
    "form",
    { class: "filters", "aria-label": "Filters", onsubmit: (event) => event.preventDefault() },
    choice("state", "State", STATES, query),
    choice("route", "Route", named, query),
    choice("outcome", "Outcome", outcomes, query),
    choice("hours", "Begun", AGES, query),
    Object.keys(query).length ? h("a", { href: "#/runs", class: "button" }, icon("cross"), "Clear") : null,
  );
}

function choice(name, label, options, query) {
  const chosen = (event) => {
    location.hash = address({ ...query, [name]: event.target.value, after: "" });
  };
  const entries = Object.entries(options).sort(([one], [other]) => (one === "" ? -1 : other === "" ? 1 : 0));
  return h(
    "label",
    { key: name },
    h("span", {}, label),
    h(
      "select",
      { name, value: query[name] ?? "", onchange: chosen },
      entries.map(([value, words]) => h("option", { key: value, value }, plain(words))),
    ),
  );
}

function address(query) {
  const given = Object.entries(query).filter(([, value]) => value);
  return given.length ? `#/runs?${new URLSearchParams(given)}` : "#/runs";
}

function runsTable(runs, tools) {
  const columns = [
    { name: "State", cell: (run) => runBadge(run) },
    { name: "Run", cell: (run) => runLink(run.run) },
    { name: "Route", cell: (run) => text(run.route) },
    { name: "Files", class: "number", cell: (run) => count(run.files) },
    { name: "Rows", class: "number", cell: (run) => (hasScored(run) ? count(run.rows) : "–") },
    { name: "Begun", cell: (run) => time(run.created_at, tools.now) },
    {
      name: "Took",
      class: "wide",
      cell: (run) => (run.stage === "closed" ? closedCell(run, tools) : deadlineBar(run, tools.now)),
    },
  ];
  return table("Runs, newest first", columns, runs, { class: "runs" });
}

function closedCell(run, tools) {
  const reason = run.why ? h("span", { class: "why small" }, message(run.why)) : null;
  return [
    h("span", {}, duration(took(run)), h("span", { class: "quiet" }, " · ", ago(run.closed_at, tools.now))),
    reason,
  ];
}

function none(query) {
  if (query.after) return nothing("runs", "There are no older runs", "");
  const filtered = Object.keys(query).length > 0;
  return filtered
    ? nothing("search", "No run is like that", "Choose other filters, or clear them.")
    : nothing("runs", "There are no runs yet", "Drop a CSV into the inbox, and its run appears here.");
}

function pages(data, query) {
  const here = address(query);
  const next = data.next ? address({ ...query, after: data.next }) : "";
  if (next && !newer.has(next)) newer.set(next, here);
  if (!next && !query.after) return h("p", { class: "quiet pages" }, counted(data.runs.length, "run"));
  const newest = address({ ...query, after: "" });
  return h(
    "nav",
    { class: "row pages", "aria-label": "Pages" },
    query.after ? h("a", { key: "newest", class: "button", href: newest }, "Newest") : null,
    query.after && newer.has(here)
      ? h("a", { key: "newer", class: "button", href: newer.get(here) }, icon("left"), "Newer")
      : null,
    next ? h("a", { key: "older", class: "button", href: next }, "Older", icon("right")) : null,
  );
}

export const skeleton = () => [
  h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Runs")),
  h("div", { class: "filters" }, bones(1, "filters")),
  bones(16, "runs"),
];
