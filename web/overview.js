/** Overview: each route, what is under way, what waits, what came last and what went wrong. */

import { get, now } from "./api.js";
import { h } from "./dom.js";
import { count, counted, duration } from "./format.js";
import {
  ago,
  bones,
  deadlineBar,
  fileLink,
  filesAndRows,
  message,
  nothing,
  panel,
  runBadge,
  runLink,
  table,
  text,
  took,
} from "./pieces.js";
import { routesPanel } from "./routes.js";
import { causes, isTrouble, lastEndedFirst, troubled } from "./troubles.js";
import { STAGES } from "./words.js";

const CLOSED_ARE_FRESH_FOR = 15_000;
// To find what failed, the app may have to look through all runs of the day.
const FAILED_ARE_FRESH_FOR = 60_000;
const DAY = 86_400_000;
const LISTED = 6;
const WAITING_LISTED = 9;

export const title = () => "Overview";
export const busy = (data) => data.open.runs.length > 0 || data.waiting.total > 0;

/** What is there first is shown first: routes, and what failed, may take the app a while. */
export async function load(_place, before, signal, show) {
  const open = get("runs", { state: "open", limit: 50 }, signal);
  const asked = {
    open,
    names: open.then(namesOf),
    last: open.then((found) => lastOf(before, found, signal)),
    waiting: get("waiting", { limit: WAITING_LISTED }, signal),
    routes: get("routes", {}, signal),
    failed: kept(before?.failed, FAILED_ARE_FRESH_FOR, failedQuery(), signal),
  };
  asked.causes = Promise.all([asked.last, asked.failed]).then(([last, failed]) =>
    causes(troubled(last, failed), signal),
  );
  let data = { ...before };
  const arrived = async ([name, answer]) => {
    const found = await answer;
    data = { ...data, [name]: found };
    if (!before && data.open && data.last && data.waiting) show(data);
  };
  await Promise.all(Object.entries(asked).map(arrived));
  return data;
}

const namesOf = ({ runs }) => runs.map((run) => run.run).join();
const failedQuery = () => ({ outcome: "failed", since: new Date(now() - DAY).toISOString(), limit: LISTED });

/** What is closed changes when what is open does: it is asked for then, and now and again. */
function lastOf(before, open, signal) {
  const fresh = before?.names === namesOf(open) ? CLOSED_ARE_FRESH_FOR : 0;
  return kept(before?.last, fresh, { limit: 40 }, signal);
}

async function kept(known, milliseconds, query, signal) {
  if (known && Date.now() - known.at < milliseconds) return known;
  const { runs } = await get("runs", { state: "closed", ...query }, signal);
  return { runs, at: Date.now() };
}

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
    data.routes ? routesPanel(data.routes, tools) : bones(2, "routes"),
    openPanel(data, tools),
    waitingPanel(data.waiting, tools),
    h(
      "div",
      { class: "columns" },
      donePanel(data, tools),
      data.failed ? troublePanel(data, tools) : bones(6, "trouble"),
    ),
  ];
}

function summary({ open, waiting }) {
  const more = open.next ? "+" : "";
  return `${count(open.runs.length)}${more} under way · ${counted(waiting.total, "file")} waiting`;
}

function openPanel({ open }, tools) {
  const columns = [
    { name: "Run", cell: (run) => runLink(run.run) },
    { name: "Route", cell: (run) => text(run.route) },
    { name: "Stage", cell: (run) => [runBadge(run), h("span", { class: "quiet small meaning" }, STAGES[run.stage])] },
    { name: "Files, rows", cell: filesAndRows },
    { name: "Elapsed against deadline", class: "wide", cell: (run) => deadlineBar(run, tools.now) },
  ];
  const shown = open.runs.length
    ? table("Runs under way", columns, open.runs)
    : nothing("check", "Nothing is under way", "Drop a CSV into the inbox, and its run appears here.");
  const more = open.next ? h("a", { href: "#/runs?state=open" }, "All open runs") : null;
  return panel("Under way", { more }, shown);
}

function waitingPanel(waiting, tools) {
  if (!waiting.total) return null;
  const row = (file) =>
    h("li", { key: file.file }, fileLink(file.file), h("span", { class: "quiet small" }, ago(file.since, tools.now)));
  const rest = waiting.total - waiting.waiting.length;
  const more = rest > 0 ? h("p", { class: "quiet" }, `and ${count(rest)} more`) : null;
  return panel(
    "Waiting",
    { note: counted(waiting.total, "file") },
    h("ul", { class: "lines many" }, waiting.waiting.map(row)),
    more,
  );
}

function donePanel({ last }, tools) {
  const smooth = last.runs.filter((run) => !isTrouble(run) && run.outcome !== "empty");
  const done = lastEndedFirst(smooth).slice(0, LISTED);
  const shown = done.length ? list(done, tools) : nothing("check", "Nothing is finished yet", "");
  return panel(
    "Last finished",
    { more: h("a", { href: "#/runs?state=closed", "aria-label": "All finished runs" }, "All") },
    shown,
  );
}

function troublePanel({ last, failed, causes: found }, tools) {
  const shown = troubled(last, failed);
  const content = shown.length
    ? list(shown, tools, found ?? {})
    : nothing("check", "Nothing has failed", "Failed, partial and rejected runs are listed here.");
  return panel("Worth a look", { more: allLike(shown) }, content);
}

/** One link for each outcome that is listed, to all runs that ended so. */
function allLike(runs) {
  const outcomes = [...new Set(runs.map((run) => run.outcome))];
  const link = (outcome) =>
    h(
      "a",
      { key: outcome, href: `#/runs?outcome=${encodeURIComponent(outcome)}`, "aria-label": `All ${outcome} runs` },
      outcome,
    );
  return outcomes.length ? h("span", { class: "row tight" }, "All: ", outcomes.map(link)) : null;
}

function list(runs, tools, causes = {}) {
  const row = (run) =>
    h(
      "li",
      { key: run.run },
      runBadge(run),
      h(
        "span",
        { class: "grow" },
        h("span", { class: "row tight" }, runLink(run.run), text(run.route)),
        h("span", { class: "quiet small" }, filesAndRows(run), ` · ${duration(took(run))}`),
        cause(causes[run.run] ?? { why: run.why }),
      ),
      h("span", { class: "quiet small" }, ago(run.closed_at, tools.now)),
    );
  return h("ul", { class: "lines" }, runs.map(row));
}

/** The file that it is about, and the reason. */
function cause({ file, others, why }) {
  return [
    file ? h("span", { class: "small" }, fileLink(file), others ? ` and ${counted(others, "other")}` : null) : null,
    why ? h("span", { class: "why small" }, message(why)) : null,
  ];
}

export const skeleton = () => [
  h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Overview"), h("p", { class: "quiet" }, "Loading…")),
  bones(2, "routes"),
  bones(4, "open"),
  h("div", { class: "columns" }, bones(6, "done"), bones(6, "trouble")),
];
