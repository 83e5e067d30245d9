/** What several screens are made of. */

import { h } from "./dom.js";
import { count, counted, duration, exact, instant, moment, pieces } from "./format.js";
import { icon } from "./icons.js";
import { STAGES, look } from "./words.js";

/** Any text of somebody else's: isolated from the direction of what is around it, nothing in it unseen. */
export function text(value, properties) {
  const shown = pieces(value).map((piece) =>
    piece.escaped ? h("span", { class: "escaped" }, piece.text) : piece.text,
  );
  return h("bdi", properties, shown);
}

/** A reason or another message: its lines stay lines. */
export function message(value) {
  const lines = value.trim().split(/\r?\n/);
  return h(
    "span",
    { class: "message" },
    lines.map((line, index) => [index ? "\n" : null, text(line)]),
  );
}

/** A file's name: its folders quieter than itself. */
export function fileName(name) {
  const cut = name.lastIndexOf("/") + 1;
  return h(
    "span",
    { class: "file-name" },
    h("bdi", {}, cut ? h("span", { class: "folder" }, text(name.slice(0, cut))) : null, text(name.slice(cut) || name)),
  );
}

export const fileAddress = (name) => `#/files/${name.split("/").map(safely).join("/")}`;
export const runAddress = (run) => `#/runs/${encodeURIComponent(run)}`;
const safely = (part) => encodeURIComponent(part.isWellFormed() ? part : part.toWellFormed());

export const fileLink = (name) => h("a", { class: "file-link", href: fileAddress(name) }, fileName(name));

/** The end of a run's name tells it from its neighbours; the whole of it is in the title. */
export function runLink(run) {
  return h(
    "a",
    { class: "run-link", href: runAddress(run), title: run },
    h("span", { class: "unseen" }, "Run "),
    `…${run.slice(-7)}`,
  );
}

export function time(at, now) {
  const when = instant(at);
  if (when === null) return h("span", { class: "quiet" }, "–");
  return h("time", { datetime: at, title: exact(when) }, moment(when, now));
}

/** "4 min ago"; the exact time is in the title. */
export function ago(at, now) {
  const when = instant(at);
  if (when === null) return h("span", { class: "quiet" }, "–");
  const seconds = Math.max(0, (now - when) / 1000);
  return h("time", { datetime: at, title: exact(when) }, seconds < 5 ? "just now" : `${brief(seconds)} ago`);
}

/** The larger unit of a duration is enough for what is past. */
const brief = (seconds) => duration(seconds).split(" ").slice(0, 2).join(" ");

/** A word as shape, colour and text. */
export function badge(word, title) {
  const { icon: shape, tone, meaning } = look(word);
  return h("span", { class: `badge ${tone}`, title: title ?? meaning }, icon(shape), word);
}

export const runBadge = (run) => (run.stage === "closed" ? badge(run.outcome) : stageBadge(run));

function stageBadge(run) {
  const shown = run.cancel ? "canceling" : run.stage;
  return h("span", { class: "badge busy", title: STAGES[run.stage] }, icon("run"), shown);
}

export const took = (run) => (instant(run.closed_at) - instant(run.created_at)) / 1000;

/** How long an open run has been at it, against its deadline, with a mark where it is expected to end. */
export function deadlineBar(run, now) {
  const [from, to] = [instant(run.created_at), instant(run.deadline)];
  const part = to > from ? Math.min(1, Math.max(0, (now - from) / (to - from))) : 0;
  const expected = run.expected_at && to > from ? (instant(run.expected_at) - from) / (to - from) : null;
  const spent = `${duration(Math.max(0, now - from) / 1000)}${to > from ? ` of ${duration((to - from) / 1000)}` : ""}`;
  return h(
    "div",
    { class: "deadline" },
    h(
      "div",
      { class: "deadline-words" },
      h("span", { title: "since it began, against its deadline" }, spent),
      expectation(run, now),
    ),
    h(
      "div",
      { class: `bar ${part > 0.9 ? "bad" : ""}`, "aria-hidden": "true", style: { "--part": part.toFixed(4) } },
      expected !== null && expected < 1 ? h("i", { style: { "--at": Math.max(0, expected).toFixed(4) } }) : null,
    ),
  );
}

function expectation(run, now) {
  const expected = instant(run.expected_at);
  if (expected === null) return null;
  const left = (expected - now) / 1000;
  const words = left > 0 ? `about ${duration(left)} to go` : "longer than usual";
  return h("span", { class: left > 0 ? "quiet" : "late", title: `expected end: ${exact(expected)}` }, words);
}

/** Rows of an ended run that has published nothing were read, not scored. */
export const hasScored = (run) => run.stage !== "closed" || ["succeeded", "partial"].includes(run.outcome);

export const filesAndRows = (run) =>
  hasScored(run) ? `${counted(run.files, "file")}, ${counted(run.rows, "row")}` : counted(run.files, "file");

/** The rows of one version of a file, where they were scored: "–" else. */
export const rowsOf = (word, rows) => (rows && ["published", "unchanged"].includes(word) ? count(rows) : "–");

/** A table that turns into a list of cards where there is no room; roles say so to screen readers in both forms. */
export function table(caption, columns, rows, properties) {
  const head = columns.map((column) =>
    h("th", { key: column.name, role: "columnheader", scope: "col", class: column.class }, column.name),
  );
  return h(
    "table",
    { role: "table", ...properties },
    h("caption", { class: "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)),
    h(
      "tbody",
      { role: "rowgroup" },
      rows.map((row) => tableRow(columns, row)),
    ),
  );
}

function tableRow(columns, row) {
  const cells = columns.map((column) =>
    h("td", { key: column.name, role: "cell", class: column.class, "data-name": column.name }, column.cell(row)),
  );
  return h("tr", { key: row.key ?? row.run ?? row.file, role: "row" }, cells);
}

export function panel(title, properties, ...children) {
  const { more, note, ...rest } = properties ?? {};
  const head = h(
    "div",
    { class: "panel-head" },
    h("h2", {}, title),
    note ? h("span", { class: "quiet" }, note) : null,
    more ?? null,
  );
  return h("section", { class: "panel", "aria-label": title, ...rest }, head, children);
}

/** Nothing is there, and that is no fault. */
export function nothing(shape, title, hint) {
  return h(
    "div",
    { class: "nothing" },
    icon(shape),
    h("p", {}, h("b", {}, title)),
    hint ? h("p", { class: "quiet" }, hint) : null,
  );
}

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => h("div", { key: name }, h("dt", {}, name), h("dd", {}, value))),
  );
}

export const bar = (width) => h("span", { class: "bone", style: { width } });

/** Stands where a panel will be, as high as it will be. */
export function bones(rows, title = "Loading") {
  const lines = Array.from({ length: rows }, (_, row) => h("p", {}, bar(`${30 + ((row * 23) % 50)}%`), bar("15%")));
  return h(
    "section",
    { class: "panel bones", "aria-hidden": "true", key: title },
    h("div", { class: "panel-head" }, bar("9rem")),
    lines,
  );
}

export const amount = (value) => h("span", { class: "amount" }, count(value));
