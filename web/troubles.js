/** What is worth a look: runs that were not smooth, each with a file of it and why. */

import { get } from "./api.js";
import { instant } from "./format.js";

const TROUBLE = ["failed", "timed-out", "partial", "rejected", "released"];
// Of a partial run, what failed comes before what was rejected.
const WORDS = ["failed", "rejected", "canceled"];
const LISTED = 6;
const KEPT = 60;
const known = new Map();

export const isTrouble = (run) => TROUBLE.includes(run.outcome);

/** What failed within a day; the rest of what was not smooth only while it is among the last. */
export function troubled(last, failed) {
  const found = new Map([...last.runs.filter(isTrouble), ...failed.runs].map((run) => [run.run, run]));
  return lastEndedFirst(found.values()).slice(0, LISTED);
}

/** Lists of runs are in the order in which they began. */
export const lastEndedFirst = (runs) =>
  [...runs].sort((one, other) => instant(other.closed_at) - instant(one.closed_at));

/** {run: {file, others, why}} of these runs. A closed run is asked about once, until it is gone on with. */
export async function causes(runs, signal) {
  const entries = await Promise.all(runs.map(async (run) => [run.run, await causeOf(run, signal)]));
  return Object.fromEntries(entries);
}

async function causeOf(run, signal) {
  const name = `${run.run} ${run.closed_at}`;
  if (known.has(name)) return known.get(name);
  // The run is listed without it where it cannot be had now.
  const cause = await (run.outcome === "released" ? hold(run, signal) : worst(run, signal)).catch(() => null);
  if (cause) known.set(name, cause);
  if (known.size > KEPT) known.delete(known.keys().next().value);
  return cause;
}

async function hold(run, signal) {
  const { held, results } = await get(`runs/${encodeURIComponent(run.run)}`, {}, signal);
  return { file: results?.[0]?.blob ?? "", others: Math.max(0, run.files - 1), why: held || "" };
}

async function worst(run, signal) {
  const word = WORDS.find((one) => run.words?.[one]) ?? "";
  const { files, total } = await get(`runs/${encodeURIComponent(run.run)}/files`, { word, limit: 1 }, signal);
  return { file: files[0]?.blob ?? "", others: Math.max(0, total - 1), why: run.why || files[0]?.why || "" };
}
