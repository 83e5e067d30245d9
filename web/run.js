/** One run: its stages in time, what can be done about it, and each of its files. */

import { actions } from "./actions.js";
import { get } from "./api.js";
import { h } from "./dom.js";
import { count, counted, duration, exact, instant, ofDay } from "./format.js";
import { icon } from "./icons.js";
import { ago, badge, bones, deadlineBar, facts, fileLink, nothing, panel, runAddress, runBadge, table, text, time, took } from "./pieces.js";
import { FINAL_WORDS, STAGES, look } from "./words.js";

const PER_PAGE = 100;

export const title = ({ about }) => `Run …${about.slice(-7)}`;
export const busy = ({ run }) => run.stage !== "closed";

export async function load({ about, query }, before, signal) {
  const run = `runs/${encodeURIComponent(about)}`;
  const asked = { word: query.word, after: query.after, limit: PER_PAGE };
  const [record, files] = await Promise.all([get(run, {}, signal), get(`${run}/files`, asked, signal)]);
  return { run: record, files, totals: record.words ?? {} };
}

export function changes({ run: before }, { run: after }) {
  if (before.stage === after.stage) return "";
  return after.stage === "closed" ? `The run has ended: ${after.outcome}.` : `The run is at ${after.stage}: ${STAGES[after.stage]}.`;
}

export function view({ run, files, totals }, tools) {
  return [
    head(run, tools),
    reasons(run, tools),
    h("div", { class: "columns uneven" }, timelinePanel(run, tools), detailsPanel(run, tools)),
    filesPanel(run, files, totals, tools),
  ];
}

function head(run, tools) {
  const closed = run.stage === "closed";
  return h(
    "div",
    { class: "head run-head" },
    h("p", { class: "crumbs" }, h("a", { href: "#/runs" }, "Runs"), " / ", h("a", { href: `#/runs?route=${encodeURIComponent(run.route)}` }, text(run.route))),
    h("div", { class: "row" }, h("h1", { tabindex: "-1" }, "Run ", h("span", { class: "mono" }, run.run)), runBadge(run)),
    h("p", {}, closed ? [`${sentence(look(run.outcome).meaning)}, in ${duration(took(run))}. Ended `, ago(run.closed_at, tools.now), "."] : `${sentence(STAGES[run.stage] ?? run.stage)}.`),
    closed ? null : deadlineBar(run, tools.now),
    h("div", { class: "row actions" }, actions(run, tools), studioLink(run)),
  );
}

const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

function studioLink({ studio }) {
  if (!/^https?:\/\//.test(studio ?? "")) return null;
  return h("a", { class: "button", href: studio, target: "_blank", rel: "noopener noreferrer" }, "Job in Azure ML", icon("out"), h("span", { class: "unseen" }, " (opens a new tab)"));
}

/** Why it is as it is, where there is anything to say. */
function reasons(run, tools) {
  const said = [
    run.why && ["bad", run.failed_stage ? `Failed at ${run.failed_stage}. ` : "", run.why],
    run.held && ["warn", "Held. ", run.held],
    run.released && ["warn", "", `${counted(run.released, "file")} given back: they wait again.`],
    run.left_out && ["warn", "Left out. ", listed(run.left_out)],
    Object.keys(run.not_moved ?? {}).length && ["warn", "Could not be moved. ", listed(run.not_moved)],
    run.spares?.length && ["warn", "Spare jobs, canceled: ", listed(run.spares)],
  ];
  return said.filter(Boolean).map(([tone, lead, words]) => h("div", { class: `notice ${tone}`, key: lead }, icon("alert"), h("p", {}, lead ? h("b", {}, lead) : null, text(words))));
}

function listed(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(listed).join(", ");
  return Object.entries(value).map(([name, why]) => (why ? `${name}: ${typeof why === "string" ? why : JSON.stringify(why)}` : name)).join("; ");
}

function timelinePanel(run, tools) {
  const marks = run.timeline;
  const stages = marks.map((mark, index) => stage(mark, marks[index + 1], run, tools));
  return panel("Timeline", {}, h("ol", { class: "timeline" }, stages, run.stage === "closed" ? null : h("li", { class: "ahead", key: "ahead" }, h("span", { class: "quiet" }, "Deadline "), h("span", { class: "quiet" }, time(run.deadline, tools.now)))));
}

function stage(mark, next, run, tools) {
  const last = !next;
  const seconds = last ? (tools.now - instant(mark.at)) / 1000 : (instant(next.at) - instant(mark.at)) / 1000;
  const under = last && run.stage !== "closed";
  const whole = Math.max(1, ((run.stage === "closed" ? instant(run.closed_at) : tools.now) - instant(run.created_at)) / 1000);
  const spent = mark.stage === "closed" ? null : h("span", { class: "spent" }, duration(Math.max(0, seconds)));
  return h(
    "li",
    { key: `${mark.stage} ${mark.attempt} ${mark.at}`, class: under ? "under" : mark.stage === "closed" ? `end ${look(run.outcome).tone}` : "past", "aria-current": under ? "step" : null },
    h("span", { class: "stage-name" }, mark.stage, mark.attempt > 1 ? h("span", { class: "quiet small" }, ` ${mark.attempt}`, h("span", { class: "unseen" }, " (attempt)")) : null),
    h("span", { class: "quiet small" }, mark.stage === "closed" ? look(run.outcome).meaning : STAGES[mark.stage]),
    h("span", { class: "share", "aria-hidden": "true", style: { "--part": mark.stage === "closed" ? "0" : Math.min(1, Math.max(0, seconds / whole)).toFixed(3) } }),
    spent,
    h("time", { datetime: mark.at, title: exact(instant(mark.at)) }, ofDay(instant(mark.at))),
  );
}

function detailsPanel(run, tools) {
  const mono = (value) => (value ? h("span", { class: "mono" }, text(String(value))) : null);
  return panel(
    "Details",
    {},
    facts([
      ["Route", text(run.route)],
      ["Files", count(run.files)],
      ["Rows", run.rows ? count(run.rows) : "not counted yet"],
      ["Begun", time(run.created_at, tools.now)],
      ["First file dropped", run.oldest ? time(run.oldest, tools.now) : null],
      ["Deadline", run.stage === "closed" ? null : h("span", { title: exact(instant(run.deadline)) }, time(run.deadline, tools.now))],
      ["Parts", run.parts ? count(run.parts) : null],
      ["Attempt", run.attempts > 1 || run.attempt > 1 ? `${run.attempt} of at most ${run.attempts}` : null],
      ["Launch", run.launch > 1 ? count(run.launch) : null],
      ["Deployment", mono(run.deployment)],
      ["Model", mono(run.model)],
      ["Job", mono(run.job)],
      ["Earlier jobs", run.earlier_jobs?.length ? mono(listed(run.earlier_jobs)) : null],
    ]),
  );
}

function filesPanel(run, files, totals, tools) {
  const { query } = tools.place;
  const columns = [
    { name: "File", class: "wide", cell: (file) => fileLink(file.blob) },
    { name: "Word", cell: (file) => (file.word ? badge(file.word) : h("span", { class: "quiet" }, "not yet")) },
    { name: "Rows", class: "number", cell: (file) => (file.rows === null || file.rows === undefined ? "–" : count(file.rows)) },
    { name: "Reason", class: "wide reason", cell: (file) => reason(file) },
  ];
  const rows = files.files.map((file, index) => ({ ...file, key: `${file.blob} ${index}` }));
  const shown = rows.length ? table("Files of this run", columns, rows) : nothing("file", query.word ? `No file is ${query.word}` : "No files yet", query.word ? "" : "They are listed once they are chosen.");
  const note = counted(files.total, "file");
  return panel("Files", { note }, words(run, totals, query), shown, pages(run, files, query));
}

function reason(file) {
  const noted = [
    file.bad_rows ? `${counted(file.bad_rows, "bad row")} set aside.` : "",
    file.formulas ? "Some cells begin like formulas: take care in a spreadsheet." : "",
    file.problems?.length ? `See ${file.problems.join(", ")}.` : "",
  ];
  const said = noted.filter(Boolean).map((line) => h("span", { class: "line" }, text(line)));
  return [file.why ? h("span", { class: "line" }, text(file.why)) : null, said];
}

/** Each word is a filter, with how many files have it. */
function words(run, totals, query) {
  const found = FINAL_WORDS.filter((word) => totals[word]);
  if (found.length < 2 && !query.word) return null;
  const link = (word, label) => h("a", { key: word, class: "chip", href: address(run, { word }), "aria-current": (query.word ?? "") === word ? "true" : null }, label);
  return h("nav", { class: "row chips", "aria-label": "Files by word" }, link("", "all"), found.map((word) => link(word, [icon(look(word).icon), `${word} ${count(totals[word])}`])));
}

function pages(run, files, query) {
  const from = Number(query.after ?? 0);
  if (!from && files.next === null) return null;
  return h(
    "nav",
    { class: "row pages", "aria-label": "Pages of files" },
    from ? h("a", { key: "first", class: "button", href: address(run, { word: query.word }) }, icon("left"), "First files") : null,
    files.next !== null ? h("a", { key: "next", class: "button", href: address(run, { word: query.word, after: files.next }) }, "More files", icon("right")) : null,
    h("span", { class: "quiet" }, `${count(files.files.length)} of ${count(files.total)}`),
  );
}

function address(run, query) {
  const given = Object.entries(query).filter(([, value]) => value);
  return `${runAddress(run.run)}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
}

export const skeleton = () => [h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Run"), h("p", { class: "quiet" }, "Loading…")), h("div", { class: "columns uneven" }, bones(7, "timeline"), bones(7, "details")), bones(5, "files")];
