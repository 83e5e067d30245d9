/** Overview: each route, what is under way, what waits, what came last and what went wrong. */

import { get, now } from "./api.js";
import { h } from "./dom.js";
import { count, counted, duration, instant } from "./format.js";
import { icon } from "./icons.js";
import { ago, bones, deadlineBar, facts, fileLink, filesAndRows, nothing, panel, runBadge, runLink, table, text, time, took } from "./pieces.js";
import { STAGES } from "./words.js";

const CLOSED_ARE_FRESH_FOR = 15_000;
// To find what failed, the app may have to look through all runs of the day.
const FAILED_ARE_FRESH_FOR = 60_000;
const DAY = 86_400_000;
const LISTED = 6;
const WAITING_LISTED = 9;
const TROUBLE = ["failed", "timed-out", "partial", "rejected", "released"];

export const title = () => "Overview";
export const busy = (data) => data.open.runs.length > 0 || data.waiting.total > 0;

export async function load(_place, before, signal) {
  const [routes, open, waiting] = await Promise.all([
    get("routes", {}, signal),
    get("runs", { state: "open", limit: 50 }, signal),
    get("waiting", { limit: WAITING_LISTED }, signal),
  ]);
  return { routes, open, waiting, ...(await closed(before, open, signal)) };
}

/** What is closed changes when what is open does: it is asked for then, and now and again. */
async function closed(before, open, signal) {
  const names = open.runs.map((run) => run.run).join();
  const [last, failed] = await Promise.all([
    kept(before?.last, CLOSED_ARE_FRESH_FOR, before?.names === names, { limit: 40 }, signal),
    kept(before?.failed, FAILED_ARE_FRESH_FOR, true, { outcome: "failed", since: dayAgo(), limit: LISTED }, signal),
  ]);
  return { last, failed, names };
}

async function kept(known, milliseconds, same, query, signal) {
  if (known && same && Date.now() - known.at < milliseconds) return known;
  const { runs } = await get("runs", { state: "closed", ...query }, signal);
  return { runs, at: Date.now() };
}

const dayAgo = () => new Date(now() - DAY).toISOString();

/** What a person who listens would want to hear. */
export function changes(before, after) {
  const open = new Set(before.open.runs.map((run) => run.run));
  const ended = after.last.runs.filter((run) => open.has(run.run));
  if (ended.length) return ended.map((run) => `A run of ${run.route} has ended: ${run.outcome}.`).join(" ");
  const began = after.open.runs.length - before.open.runs.length;
  return began > 0 ? `${counted(began, "run")} more under way.` : "";
}

export function view(data, tools) {
  return [
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Overview"), h("p", { class: "quiet" }, summary(data))),
    routesPanel(data.routes, tools),
    openPanel(data, tools),
    waitingPanel(data.waiting, tools),
    h("div", { class: "columns" }, donePanel(data, tools), troublePanel(data, tools)),
  ];
}

function summary({ open, waiting }) {
  const more = open.next ? "+" : "";
  return `${count(open.runs.length)}${more} under way · ${counted(waiting.total, "file")} waiting`;
}

function routesPanel({ routes, problem }, tools) {
  const wrong = problem ? h("p", { class: "notice bad" }, icon("alert"), h("span", {}, "The routes have a mistake; the last good ones are in force. ", text(problem))) : null;
  const shown = routes.length ? h("ul", { class: "routes" }, routes.map((route) => routeCard(route, tools))) : h("div", { class: "panel" }, nothing("file", "There are no routes yet", "A route says which files go to which model. Add one to config/routes.toml."));
  return h("section", { "aria-label": "Routes" }, wrong, shown);
}

function routeCard(route, tools) {
  return h(
    "li",
    { class: `card ${route.held ? "held" : ""}`, key: route.name },
    h("h2", {}, h("a", { href: `#/runs?route=${encodeURIComponent(route.name)}` }, text(route.name))),
    h("p", { class: "quiet pattern" }, text(route.pattern)),
    h("p", { class: "standing" }, slots(route), h("span", {}, standing(route))),
    route.held ? h("p", { class: "notice warn" }, icon("pause"), h("span", {}, h("b", {}, "Held. "), text(route.held.why), route.held.until ? [" Next try: ", time(route.held.until, tools.now), "."] : null)) : null,
    facts([
      ["Oldest waiting", route.oldest_waiting ? ago(route.oldest_waiting, tools.now) : null],
      ["Usually takes", route.typical_seconds ? duration(route.typical_seconds) : null],
      ["Next due", route.next_due ? time(route.next_due, tools.now) : null],
    ]),
  );
}

/** One square per job the route may have at a time. */
function slots({ busy: taken, max_jobs: most }) {
  if (most > 12) return null;
  const squares = Array.from({ length: Math.max(most, taken) }, (_, index) => h("i", { class: index < taken ? "taken" : "" }));
  return h("span", { class: "slots", "aria-hidden": "true" }, squares);
}

function standing({ waiting, busy: taken, max_jobs: most, schedule, held }) {
  const jobs = `${count(taken)} of ${count(most)} jobs busy`;
  const reason = held ? "the route is held" : schedule && !taken ? "until it is due" : jobs;
  if (waiting) return [h("b", {}, `${count(waiting)} waiting`), `: ${reason}`];
  return taken ? jobs : "Idle";
}

function openPanel({ open }, tools) {
  const columns = [
    { name: "Run", cell: (run) => runLink(run.run) },
    { name: "Route", cell: (run) => text(run.route) },
    { name: "Stage", cell: (run) => [runBadge(run), h("span", { class: "quiet small meaning" }, STAGES[run.stage])] },
    { name: "Files, rows", cell: filesAndRows },
    { name: "Elapsed against deadline", class: "wide", cell: (run) => deadlineBar(run, tools.now) },
  ];
  const shown = open.runs.length ? table("Runs under way", columns, open.runs) : nothing("check", "Nothing is under way", "Drop a CSV into the inbox, and its run appears here.");
  const more = open.next ? h("a", { href: "#/runs?state=open" }, "All open runs") : null;
  return panel("Under way", { more }, shown);
}

function waitingPanel(waiting, tools) {
  if (!waiting.total) return null;
  const row = (file) => h("li", { key: file.file }, fileLink(file.file), h("span", { class: "quiet small" }, ago(file.since, tools.now)));
  const rest = waiting.total - waiting.waiting.length;
  const more = rest > 0 ? h("p", { class: "quiet" }, `and ${count(rest)} more`) : null;
  return panel("Waiting", { note: counted(waiting.total, "file") }, h("ul", { class: "lines many" }, waiting.waiting.map(row)), more);
}

function donePanel({ last }, tools) {
  const done = last.runs.filter((run) => !TROUBLE.includes(run.outcome) && run.outcome !== "empty").slice(0, LISTED);
  const shown = done.length ? list(done, tools) : nothing("check", "Nothing is finished yet", "");
  return panel("Last finished", { more: h("a", { href: "#/runs?state=closed", "aria-label": "All finished runs" }, "All") }, shown);
}

/** What failed within a day; the rest of what was not smooth only while it is among the last. */
function troublePanel({ last, failed }, tools) {
  const found = new Map([...last.runs.filter((run) => TROUBLE.includes(run.outcome)), ...failed.runs].map((run) => [run.run, run]));
  const shown = [...found.values()].sort((one, other) => instant(other.closed_at) - instant(one.closed_at)).slice(0, LISTED);
  const content = shown.length ? list(shown, tools) : nothing("check", "Nothing has failed", "Failed, partial and rejected runs are listed here.");
  return panel("Worth a look", { more: h("a", { href: "#/runs?outcome=failed", "aria-label": "All failed runs" }, "All failed") }, content);
}

function list(runs, tools) {
  const row = (run) =>
    h(
      "li",
      { key: run.run },
      runBadge(run),
      h("span", { class: "grow" }, h("span", { class: "row tight" }, runLink(run.run), text(run.route)), h("span", { class: "quiet small" }, filesAndRows(run), ` · ${duration(took(run))}`), run.why ? h("span", { class: "why small" }, text(run.why)) : null),
      h("span", { class: "quiet small" }, ago(run.closed_at, tools.now)),
    );
  return h("ul", { class: "lines" }, runs.map(row));
}

export const skeleton = () => [h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Overview"), h("p", { class: "quiet" }, "Loading…")), bones(2, "routes"), bones(4, "open"), h("div", { class: "columns" }, bones(6, "done"), bones(6, "trouble"))];

