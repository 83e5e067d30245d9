/** "Where is my file?": one file in a plain sentence, where it lies, and each version there was. */

import { download, get, key, named } from "./api.js";
import { h } from "./dom.js";
import { counted, instant, size } from "./format.js";
import { icon } from "./icons.js";
import {
  badge,
  bones,
  facts,
  fileName,
  message,
  nothing,
  panel,
  rowsOf,
  runLink,
  table,
  text,
  time,
} from "./pieces.js";
import { histogram } from "./plots.js";
import { look } from "./words.js";

const UNDER_WAY = ["waiting", "running", "seen"];
/** Why there are no predictions, and will be none of this version. */
const NONE = {
  rejected: "None: the file was rejected.",
  failed: "None: it could not be scored.",
  canceled: "None: its run was canceled.",
  withdrawn: "None: it was deleted before it was read.",
  ignored: "None: no route takes this file.",
  gone: "None.",
};

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
    shown?.allowed ? previewPanel(shown, file) : null,
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
    h("p", { class: `says ${look(file.state).tone}` }, icon(look(file.state).icon), message(file.says)),
    canceled(file),
    waiting(file, tools),
    latest,
  );
}

function canceled({ state, run }) {
  if (state !== "canceled") return null;
  const rerun = run ? ["rerun ", runLink(run), ", or "] : null;
  return h("p", {}, "To have it scored, ", rerun, "drop it again.");
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
    found.held ? [" Its route is held: ", message(found.held)] : null,
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
      file.predictions ? predictions(file, tools) : h("p", { class: "quiet" }, NONE[file.state] ?? "No predictions yet."),
    ),
    file.rejected ? rejected(file, tools) : null,
  ];
}

/** It may be an earlier version that was rejected: what has become of this one is said above. */
function rejected({ state, rejected: found, versions }, tools) {
  const name = text(found.name);
  if (!["rejected", "gone"].includes(state)) {
    const earlier = newestFirst(versions).find((version) => version.state === "rejected");
    const when = earlier ? [", dropped ", time(earlier.modified, tools.now), ","] : null;
    return panel(
      "An earlier version",
      { key: "rejected" },
      h("p", { class: "quiet" }, "An earlier version", when, " was rejected. It lies in rejected as ", name, "."),
    );
  }
  return panel(
    "Rejected",
    { key: "rejected", class: "panel warned" },
    h("p", { class: "reason-text" }, message(found.why)),
    h(
      "p",
      { class: "quiet small" },
      "The file lies in rejected as ",
      name,
      ". Mend it and drop it again under the same name.",
    ),
  );
}

const newestFirst = (versions) =>
  [...versions].sort((one, other) => instant(other.modified) - instant(one.modified));

function predictions({ file, predictions: found, errors }, tools) {
  const button = (name, label) => {
    if (!name || !tools.health.row_values) return null;
    return h("button", { type: "button", key: label, onclick: () => saved(name, tools) }, icon("down"), label);
  };
  return [
    facts([
      ["Name", text(found.name)],
      ["Size", size(found.size)],
      ["Published", time(found.modified, tools.now)],
      ["Rows set aside", errors ? text(errors.name) : null],
    ]),
    h("div", { class: "row" }, button(file, "Download"), button(errors?.name, "Rows set aside")),
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
    tools.told({ tone: "bad", words: ["The predictions could not be fetched. ", message(problem.message)] });
  }
}

function previewPanel(shown, file) {
  if (shown.problem) return panel("Preview", {}, h("p", { class: "quiet" }, message(shown.problem)));
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
    shown.histogram ? histogram(shown.histogram, publishedRows(file)) : null,
    sample,
  );
}

/** How many rows the predictions have, where it is known. */
const publishedRows = ({ versions }) => newestFirst(versions).find((version) => version.state === "published")?.rows ?? 0;

function versionsPanel(file, tools) {
  const columns = [
    { name: "Dropped", cell: (version) => time(version.modified, tools.now) },
    { name: "State", cell: (version) => badge(version.state) },
    { name: "Size", class: "number", cell: (version) => size(version.size) },
    {
      name: "Rows",
      class: "number",
      cell: (version) => rowsOf(version.state, version.rows),
    },
    { name: "Run", cell: (version) => (version.run ? runLink(version.run) : "–") },
    { name: "Reason", class: "wide reason", cell: (version) => (version.why ? message(version.why) : "") },
  ];
  const rows = newestFirst(file.versions).map((version) => ({ ...version, key: `${version.etag} ${version.round}` }));
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
