/** The files of one run: each with its word and its reason, some at a time. */

import { h } from "./dom.js";
import { count, counted } from "./format.js";
import { icon } from "./icons.js";
import { badge, fileLink, message, nothing, panel, rowsOf, runAddress, table, text } from "./pieces.js";
import { FINAL_WORDS, look } from "./words.js";

export function filesPanel(run, files, totals, tools) {
  const { query } = tools.place;
  const columns = [
    { name: "File", class: "wide", cell: (file) => fileLink(file.blob) },
    { name: "Word", cell: (file) => (file.word ? badge(file.word) : h("span", { class: "quiet" }, "not yet")) },
    {
      name: "Rows",
      class: "number",
      cell: (file) => rowsOf(file.word, file.rows),
    },
    { name: "Reason", class: "wide reason", cell: (file) => reason(file) },
  ];
  const rows = files.files.map((file, index) => ({ ...file, key: `${file.blob} ${index}` }));
  const shown = rows.length
    ? table("Files of this run", columns, rows)
    : nothing(
        "file",
        query.word ? `No file is ${query.word}` : "No files yet",
        query.word ? "" : "They are listed once they are chosen.",
      );
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
  return [file.why ? h("span", { class: "line" }, message(file.why)) : null, said];
}

/** Each word is a filter, with how many files have it. */
function words(run, totals, query) {
  const found = FINAL_WORDS.filter((word) => totals[word]);
  if (found.length < 2 && !query.word) return null;
  const link = (word, label) =>
    h(
      "a",
      {
        key: word,
        class: "chip",
        href: address(run, { word }),
        "aria-current": (query.word ?? "") === word ? "true" : null,
      },
      label,
    );
  return h(
    "nav",
    { class: "row chips", "aria-label": "Files by word" },
    link("", "all"),
    found.map((word) => link(word, [icon(look(word).icon), `${word} ${count(totals[word])}`])),
  );
}

function pages(run, files, query) {
  const from = Number(query.after ?? 0);
  if (!from && files.next === null) return null;
  return h(
    "nav",
    { class: "row pages", "aria-label": "Pages of files" },
    from
      ? h("a", { key: "first", class: "button", href: address(run, { word: query.word }) }, icon("left"), "First files")
      : null,
    files.next !== null
      ? h(
          "a",
          { key: "next", class: "button", href: address(run, { word: query.word, after: files.next }) },
          "More files",
          icon("right"),
        )
      : null,
    h("span", { class: "quiet" }, `${count(files.files.length)} of ${count(files.total)}`),
  );
}

function address(run, query) {
  const given = Object.entries(query).filter(([, value]) => value);
  return `${runAddress(run.run)}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
}
