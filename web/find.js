/** The files whose names begin as was typed. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { filesThatBegin } from "./lookup.js";
import { ago, bones, fileLink, nothing, panel, table, text } from "./pieces.js";
import { counted } from "./format.js";

const LIMIT = 100;

export const title = () => "Find a file";
export const busy = () => false;

export async function load({ query }, _before, signal) {
  return filesThatBegin(query.prefix ?? "", LIMIT, signal);
}

export function view(data, tools) {
  const prefix = tools.place.query.prefix ?? "";
  const columns = [
    { name: "File", class: "wide", cell: (file) => fileLink(file.file) },
    {
      name: "Lies in",
      cell: (file) =>
        h(
          "span",
          { class: "row tight" },
          file.in.map((place) => h("span", { class: "chip", key: place }, place)),
        ),
    },
    { name: "Changed", cell: (file) => ago(file.modified, tools.now) },
  ];
  const none = nothing(
    "search",
    "No file’s name begins so",
    "It was looked for in the folders of all routes, too. Capitals count, and names in other folders begin with them: archive/clinic.csv.",
  );
  const more = data.more
    ? h("p", { class: "quiet" }, icon("alert"), ` These are the first ${LIMIT}; type more of the name to narrow them.`)
    : null;
  return [
    h(
      "div",
      { class: "head" },
      h("h1", { tabindex: "-1" }, "Files that begin with ", h("span", { class: "mono" }, text(prefix || "anything"))),
    ),
    panel(
      "Files",
      { note: counted(data.files.length, "file") },
      data.files.length ? table("Files found", columns, data.files) : none,
      more,
    ),
  ];
}

export const skeleton = () => [h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Files")), bones(6, "files")];
