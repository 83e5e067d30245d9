/** What people can do to a run, each asked for once more and with its outcome shown. */

import { Problem, mayAct, post } from "./api.js";
import { confirmed } from "./dialogs.js";
import { h } from "./dom.js";
import { counted } from "./format.js";
import { icon } from "./icons.js";
import { message, runLink } from "./pieces.js";
import { CANCELABLE } from "./words.js";

const UNSCORED = ["failed", "canceled", "timed-out"];
// Runs whose files others have taken, as the app has told: only asking tells.
const taken = new Set();
const WHY_NOT = "Read-only: enter a key first.";

/** The buttons that fit the run's stage. `tools`: told (shows an outcome), refresh, askForKey. */
export function actions(run, tools) {
  if (run.stage === "closed")
    return mayRerun(run) ? button("Rerun", "next", "primary", () => rerun(run, tools), tools) : instead(run);
  if (run.cancel) return h("button", { type: "button", disabled: true, key: "canceling" }, icon("stop"), "Canceling…");
  return CANCELABLE.includes(run.stage) ? button("Cancel", "stop", "danger", () => cancel(run, tools), tools) : null;
}

/** There is something to go on with: a file that failed or was canceled. */
function mayRerun({ run, closed_at: at, words, outcome }) {
  if (taken.has(`${run} ${at}`)) return false;
  if (!words || !Object.keys(words).length) return UNSCORED.includes(outcome);
  return Boolean(words.failed || words.canceled);
}

/** What helps where a rerun would not. */
function instead({ words, outcome }) {
  const [file, it] = words?.rejected === 1 ? ["file", "it"] : ["files", "them"];
  const mend = `A rerun would not help: mend the rejected ${file}, and drop ${it} again under the same name.`;
  const wait = "Nothing needs to be done: its files wait, and the app tries again by itself.";
  const said = words?.rejected ? mend : outcome === "released" ? wait : null;
  return said && h("p", { class: "quiet small", key: "instead" }, said);
}

function button(label, shape, tone, act, tools) {
  const may = mayAct();
  const properties = {
    type: "button",
    key: label,
    class: tone,
    disabled: !may || tools.acting,
    title: may ? null : WHY_NOT,
  };
  const shown = h(
    "button",
    { ...properties, "aria-describedby": may ? null : "why-not", onclick: act },
    icon(shape),
    label,
  );
  if (may) return shown;
  const ask = h("button", { type: "button", class: "link", onclick: tools.askForKey }, "Enter a key");
  return [shown, h("span", { class: "quiet small", id: "why-not" }, "Read-only. ", ask, " to change runs.")];
}

async function cancel(run, tools) {
  if (!(await confirmed("Cancel this run?", cancelWords(run), "Cancel the run", "danger"))) return;
  await tried(tools, async () => {
    await post(`runs/${encodeURIComponent(run.run)}/cancel`);
    const words = "The run is being canceled. Its job is told to stop; this takes a moment.";
    return { tone: "good", words, until: (data) => data.run?.stage === "closed" };
  });
}

function cancelWords({ files }) {
  if (!files) return "It is stopped before it has chosen its files. They stay in the inbox.";
  return files === 1
    ? "Its job is stopped, and its file ends as canceled. It stays in the inbox and can be rerun."
    : `Its job is stopped, and its ${counted(files, "file")} end as canceled. They stay in the inbox and can be rerun.`;
}

async function rerun(run, tools) {
  const rejected = run.words?.rejected ? " Rejected files are not: they must be mended and dropped again." : "";
  const words = `Files that failed or were canceled are gone on with.${rejected} Predictions that are there already are used; only what is missing is scored, and paid for, once more.`;
  if (!(await confirmed("Rerun this run?", words, "Rerun", "primary"))) return;
  await tried(tools, async () => {
    const { runs } = await post(`runs/${encodeURIComponent(run.run)}/rerun`).catch((problem) => {
      if (problem.code === "nothing-to-do") taken.add(`${run.run} ${run.closed_at}`);
      throw problem;
    });
    const same = runs.length === 1 && runs[0].run === run.run;
    return {
      tone: "good",
      words: same ? "This run goes on." : [`${counted(runs.length, "run")} started: `, listed(runs)],
    };
  });
}

const nextStep = ({ code }) =>
  code === "nothing-to-do" ? " Each file’s screen says where it is now, and in which run: follow its name below." : "";

const listed = (runs) => runs.map((run, index) => h("span", { key: run.run }, index ? ", " : "", runLink(run.run)));

/** Tells the outcome, whatever it is. */
async function tried(tools, act) {
  tools.acts(true);
  try {
    tools.told(await act());
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) tools.askForKey({ refused: true });
    tools.told({ tone: "bad", words: ["That was not done. ", message(problem.message), nextStep(problem)] });
  } finally {
    tools.acts(false);
    tools.refresh();
  }
}
