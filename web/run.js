/** One run: its stages in time, what can be done about it, and each of its files. */

import { actions } from "./actions.js";
import { get } from "./api.js";
import { h } from "./dom.js";
import { count, counted, duration, exact, instant, ofDay } from "./format.js";
import { icon } from "./icons.js";
import { ago, bones, deadlineBar, facts, hasScored, message, panel, runBadge, text, time, took } from "./pieces.js";
import { filesPanel } from "./run_files.js";
import { STAGES, look } from "./words.js";

const PER_PAGE = 100;
// The local stack's: nothing is behind it.
const NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000";

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
  return after.stage === "closed"
    ? `The run has ended: ${after.outcome}.`
    : `The run is at ${after.stage}: ${STAGES[after.stage]}.`;
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
    h(
      "p",
      { class: "crumbs" },
      h("a", { href: "#/runs" }, "Runs"),
      " / ",
      h("a", { href: `#/runs?route=${encodeURIComponent(run.route)}` }, text(run.route)),
    ),
    h(
      "div",
      { class: "row" },
      h("h1", { tabindex: "-1" }, "Run ", h("span", { class: "mono" }, run.run)),
      runBadge(run),
    ),
    h(
      "p",
      {},
      closed
        ? [
            `${sentence(look(run.outcome).meaning)}, in ${duration(took(run))}. Ended `,
            ago(run.closed_at, tools.now),
            ".",
          ]
        : `${sentence(STAGES[run.stage] ?? run.stage)}.`,
    ),
    closed ? null : deadlineBar(run, tools.now),
    h("div", { class: "row actions" }, actions(run, tools), studioLink(run)),
  );
}

const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

function studioLink({ studio }) {
  if (!/^https?:\/\//.test(studio ?? "") || studio.includes(NO_SUBSCRIPTION)) return null;
  return h(
    "a",
    { class: "button", href: studio, target: "_blank", rel: "noopener noreferrer" },
    "Job in Azure ML",
    icon("out"),
    h("span", { class: "unseen" }, " (opens a new tab)"),
  );
}

/** Why it is as it is, where there is anything to say. */
function reasons(run, tools) {
  const said = [
    run.why && ending(run),
    run.held && ["warn", "Held. ", run.held],
    run.released && ["warn", "", `${counted(run.released, "file")} given back: they wait again.`],
    run.left_out && ["warn", "Left out. ", listed(run.left_out)],
    Object.keys(run.not_moved ?? {}).length && ["warn", "Could not be moved. ", listed(run.not_moved)],
    run.spares?.length && ["warn", "Spare jobs, canceled: ", listed(run.spares)],
  ];
  return said
    .filter(Boolean)
    .map(([tone, lead, words, next]) =>
      h(
        "div",
        { class: `notice ${tone}`, key: lead },
        icon(tone === "calm" ? "stop" : "alert"),
        h("p", {}, lead ? h("b", {}, lead) : null, message(words), next ?? null),
      ),
    );
}

/** What was canceled on purpose has not failed. */
function ending(run) {
  const stopped = run.outcome === "canceled" || (run.cancel && run.stage !== "closed");
  if (!stopped) return ["bad", run.failed_stage ? `Failed at ${run.failed_stage}. ` : "", run.why];
  const next = run.files ? " Its files are still in the inbox: rerun this run, or drop them again, to have them scored." : "";
  return ["calm", "", `${sentence(run.why.replace(/\.$/, ""))}.`, next];
}

function listed(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(listed).join(", ");
  return Object.entries(value)
    .map(([name, why]) => (why ? `${name}: ${typeof why === "string" ? why : JSON.stringify(why)}` : name))
    .join("; ");
}

function timelinePanel(run, tools) {
  const marks = run.timeline;
  const stages = marks.map((mark, index) => stage(mark, marks[index + 1], run, tools));
  return panel(
    "Timeline",
    {},
    h(
      "ol",
      { class: "timeline" },
      stages,
      run.stage === "closed"
        ? null
        : h(
            "li",
            { class: "ahead", key: "ahead" },
            h("span", { class: "quiet" }, "Deadline "),
            h("span", { class: "quiet" }, time(run.deadline, tools.now)),
          ),
    ),
  );
}

function stage(mark, next, run, tools) {
  const last = !next;
  const seconds = last ? (tools.now - instant(mark.at)) / 1000 : (instant(next.at) - instant(mark.at)) / 1000;
  const under = last && run.stage !== "closed";
  const whole = Math.max(
    1,
    ((run.stage === "closed" ? instant(run.closed_at) : tools.now) - instant(run.created_at)) / 1000,
  );
  const spent = mark.stage === "closed" ? null : h("span", { class: "spent" }, duration(Math.max(0, seconds)));
  return h(
    "li",
    {
      key: `${mark.stage} ${mark.attempt} ${mark.at}`,
      class: under ? "under" : mark.stage === "closed" ? `end ${look(run.outcome).tone}` : "past",
      "aria-current": under ? "step" : null,
    },
    h(
      "span",
      { class: "stage-name" },
      mark.stage,
      mark.attempt > 1
        ? h("span", { class: "quiet small" }, ` ${mark.attempt}`, h("span", { class: "unseen" }, " (attempt)"))
        : null,
    ),
    h("span", { class: "quiet small" }, mark.stage === "closed" ? look(run.outcome).meaning : STAGES[mark.stage]),
    h("span", {
      class: "share",
      "aria-hidden": "true",
      style: { "--part": mark.stage === "closed" ? "0" : Math.min(1, Math.max(0, seconds / whole)).toFixed(3) },
    }),
    spent,
    h("time", { datetime: mark.at, title: exact(instant(mark.at)) }, ofDay(instant(mark.at))),
  );
}

const rowsCounted = (run) => {
  if (!hasScored(run)) return "none scored";
  return run.rows ? count(run.rows) : run.stage === "closed" ? "0" : "not counted yet";
};

function detailsPanel(run, tools) {
  const mono = (value) => (value ? h("span", { class: "mono" }, text(String(value))) : null);
  return panel(
    "Details",
    {},
    facts([
      ["Route", text(run.route)],
      ["Files", count(run.files)],
      ["Rows", rowsCounted(run)],
      ["Begun", time(run.created_at, tools.now)],
      ["First file dropped", run.oldest ? time(run.oldest, tools.now) : null],
      [
        "Deadline",
        run.stage === "closed"
          ? null
          : h("span", { title: exact(instant(run.deadline)) }, time(run.deadline, tools.now)),
      ],
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

export const skeleton = () => [
  h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Run"), h("p", { class: "quiet" }, "Loading…")),
  h("div", { class: "columns uneven" }, bones(7, "timeline"), bones(7, "details")),
  bones(5, "files"),
];
