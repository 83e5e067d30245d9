/** Files by the beginning of their name, as people type it: with its folder, or without. */

import { get } from "./api.js";

const FOLDERS_ARE_FRESH_FOR = 60_000;
let known = { at: 0, folders: null };

/** {files, more}: those whose names begin so, and those that do within the folder of a route. */
export async function filesThatBegin(prefix, limit, signal) {
  const asked = [prefix, ...(await withFolders(prefix, signal))];
  const answers = await Promise.all(asked.map((name) => get("files", { prefix: name, limit }, signal)));
  const found = new Map(answers.flatMap((answer) => answer.files).map((file) => [file.file, file]));
  return {
    files: [...found.values()].slice(0, limit),
    more: found.size > limit || answers.some((answer) => answer.more),
  };
}

/** A name with a folder is taken as it is, as the command line does. */
async function withFolders(prefix, signal) {
  if (!prefix || prefix.includes("/")) return [];
  if (!known.folders || Date.now() - known.at > FOLDERS_ARE_FRESH_FOR) {
    // Without the routes, names are found with their folder only.
    const answer = await get("routes", {}, signal).catch(() => null);
    if (!answer) return [];
    known = { at: Date.now(), folders: [...new Set(answer.routes.map(folderOf))].filter(Boolean) };
  }
  return known.folders.map((folder) => folder + prefix);
}

/** `diabetes/*.csv`: `diabetes/`, the folder that all names of a route begin with. */
function folderOf({ pattern }) {
  const fixed = pattern.split(/[*?]/)[0];
  return fixed.slice(0, fixed.lastIndexOf("/") + 1);
}
