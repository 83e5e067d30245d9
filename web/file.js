/** "Where is my file?": one file in a plain sentence, where it lies, and each version there was. */

import { download, get, key, named } from "./api.js";
import { h } from "./dom.js";
import { counted, instant, size } from "./format.js";
import { icon } from "./icons.js";
import { badge, bones, facts, fileName, nothing, panel, runLink, table, text, time } from "./pieces.js";
import { histogram } from "./plots.js";
import { look } from "./words.js";

const UNDER_WAY = ["waiting", "running", "seen"];

export const title = ({ about }) => about.split("/").at(-1) || "File";
export const busy = ({ file }) => UNDER_WAY.includes(file.state);

export async function load({ about }, before, signal) {
  const file = await get(`files/${named(about)}`, {}, signal);
  return { file, preview: await preview(file, before, signal) };
}

/** Kept while the predictions are the same; null where row values are not to be shown, or cannot be. */
async function preview(file, before, signal) {
  const stamp = file.predictions?.modified;
  if (!stamp) return null;
  if (before?.preview?.stamp === stamp) return before.preview;
  const { row_values: allowed } = await get("health", {}, signal).catch(() => ({}));
  if (!allowed) return { stamp, allowed: false };
  const found = await get(`preview/${named(file.file)}`, {}, signal).catch((problem) => ({ problem: problem.message }));
  return { stamp, allowed: true, ...found };
}

export function changes({ file: before }, { file: after }) {
  return before.state === after.state ? "" : `The file is ${after.state}. ${after.says}`;
}

export function view({ file, preview: shown }, tools) {
  return [
    head(file, tools),
    h("div", { class: "columns" }, places(file, tools)),
    shown?.allowed ? previewPanel(shown) : null,
    versionsPanel(file, tools),
  ];
}

function head(file, tools) {
  const latest = file.run
    ? h("p", { class: "quiet" }, "Newest run: ", runLink(file.run), file.route ? [" of ", text(file.route)] : null)
    : null;
  return h(
    "div",
    { class: "head file-head" },
    h("p", { class: "crumbs" }, "File"),
    h("div", { class: "row" }, h("h1", { tabindex: "-1" }, fileName(file.file)), badge(file.state)),
    h("p", { class: `says ${look(file.state).tone}` }, icon(look(file.state).icon), text(file.says)),
    waiting(file, tools),
    latest,
  );
}

function waiting({ waiting: found }, tools) {
  if (!found) return null;
  const ahead = found.ahead ? `${counted(found.ahead, "file")} ahead of it; ` : "";
  const words = `${ahead}${found.busy} of ${found.of} jobs busy.`;
  const due = found.due ? [" Due ", time(found.due, tools.now), "."] : null;
  return h(
    "p",
    {},
    "Waiting since ",
    time(found.since, tools.now),
    ": ",
    words,
    found.held ? [" Its route is held: ", text(found.held)] : null,
    due,
  );
}

function places(file, tools) {
  return [
    panel(
      "In the inbox",
      { key: "inbox" },
      file.inbox
        ? facts([
            ["Size", size(file.inbox.size)],
            ["Dropped", time(file.inbox.modified, tools.now)],
          ])
        : h("p", { class: "quiet" }, "Not in the inbox any more."),
    ),
    panel(
      "Predictions",
      { key: "predictions" },
      file.predictions ? predictions(file, tools) : h("p", { class: "quiet" }, "No predictions yet."),
    ),
    file.rejected
      ? panel(
          "Rejected",
          { key: "rejected", class: "panel warned" },
          h("p", { class: "reason-text" }, text(file.rejected.why)),
          h(
            "p",
            { class: "quiet small" },
            "The file lies in rejected as ",
            text(file.rejected.name),
            ". Mend it and drop it again under the same name.",
          ),
        )
      : null,
  ];
}

function predictions({ file, predictions: found }, tools) {
  const save = () => saved(file, tools);
  const button = tools.health.row_values
    ? h("button", { type: "button", onclick: save }, icon("down"), "Download")
    : null;
  const address = /^https?:\/\//.test(found.url ?? "")
    ? h(
        "a",
        { class: "button", href: found.url, target: "_blank", rel: "noopener noreferrer" },
        "Address in storage",
        icon("out"),
        h("span", { class: "unseen" }, " (opens a new tab)"),
      )
    : null;
  return [
    facts([
      ["Name", text(found.name)],
      ["Size", size(found.size)],
      ["Published", time(found.modified, tools.now)],
    ]),
    h("div", { class: "row" }, button, address),
  ];
}

/** Asked for with the key and handed to the browser as a file: a link could not send the key. */
async function saved(name, tools) {
  try {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await download(`predictions/${named(name)}`));
    link.download = name.split("/").at(-1);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (problem) {
    if (problem.status === 401) tools.askForKey({ refused: Boolean(key.get()) });
    tools.told({ tone: "bad", words: ["The predictions could not be fetched. ", text(problem.message)] });
  }
}

function previewPanel(shown) {
  if (shown.problem) return panel("Preview", {}, h("p", { class: "quiet" }, text(shown.problem)));
  if (!shown.rows.length) return panel("Preview", {}, nothing("file", "The predictions have no rows", ""));
  const columns = shown.columns.map((name, index) => ({ name: `${index} ${name}`, index, label: name }));
  const head = h(
    "tr",
    {},
    columns.map((column) => h("th", { scope: "col", key: column.name }, text(column.label))),
  );
  const rows = shown.rows.map((row) =>
    h(
      "tr",
      {},
      columns.map((column) => h("td", {}, text(row[column.index] ?? ""))),
    ),
  );
  const sample = h(
    "div",
    { class: "sheet", tabindex: "0", role: "region", "aria-label": "First rows of the predictions" },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, "First rows of the predictions"),
      h("thead", {}, head),
      h("tbody", {}, rows),
    ),
  );
  return panel(
    "Preview",
    { note: `first ${counted(shown.rows.length, "row")}` },
    shown.histogram ? histogram(shown.histogram) : null,
    sample,
  );
}

function versionsPanel(file, tools) {
  const columns = [
    { name: "Dropped", cell: (version) => time(version.modified, tools.now) },
    { name: "State", cell: (version) => badge(version.state) },
    { name: "Size", class: "number", cell: (version) => size(version.size) },
    {
      name: "Rows",
      class: "number",
      cell: (version) => (version.rows === null || version.rows === undefined ? "–" : version.rows.toLocaleString()),
    },
    { name: "Run", cell: (version) => (version.run ? runLink(version.run) : "–") },
    { name: "Reason", class: "wide reason", cell: (version) => (version.why ? text(version.why) : "") },
  ];
  const rows = [...file.versions]
    .sort((one, other) => instant(other.modified) - instant(one.modified))
    .map((version) => ({ ...version, key: `${version.etag} ${version.round}` }));
  const shown = rows.length
    ? table("Versions of this file", columns, rows)
    : nothing("file", "No version of it has been taken up", "");
  return panel("Versions", { note: "newest first" }, shown);
}

export const skeleton = ({ about }) => [
  h(
    "div",
    { class: "head" },
    h("p", { class: "crumbs" }, "File"),
    h("h1", { tabindex: "-1" }, fileName(about)),
    h("p", { class: "quiet" }, "Looking for it…"),
  ),
  h("div", { class: "columns" }, bones(2, "inbox"), bones(2, "predictions")),
  bones(4, "versions"),
];
