/** What people can do to a run, each asked for once more and with its outcome shown. */

import { Problem, mayAct, post } from "./api.js";
import { confirmed } from "./dialogs.js";
import { h } from "./dom.js";
import { counted } from "./format.js";
import { icon } from "./icons.js";
import { runLink, text } from "./pieces.js";
import { CANCELABLE } from "./words.js";

const UNSCORED = ["failed", "canceled", "partial", "timed-out"];
const WHY_NOT = "Read-only: enter a key first.";

/** The buttons that fit the run's stage. `tools`: told (shows an outcome), refresh, askForKey. */
export function actions(run, tools) {
  if (run.stage === "closed")
    return mayRerun(run) ? button("Rerun", "next", "primary", () => rerun(run, tools), tools) : null;
  if (run.cancel) return h("button", { type: "button", disabled: true, key: "canceling" }, icon("stop"), "Canceling…");
  return CANCELABLE.includes(run.stage) ? button("Cancel", "stop", "danger", () => cancel(run, tools), tools) : null;
}

/** There is something to go on with: a file that failed or was canceled. */
function mayRerun(run) {
  const words = run.words ?? {};
  return Boolean(words.failed || words.canceled) || UNSCORED.includes(run.outcome);
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
  const words = `Its job is stopped, and its ${counted(run.files, "file")} end as canceled. They stay in the inbox and can be rerun.`;
  if (!(await confirmed("Cancel this run?", words, "Cancel the run", "danger"))) return;
  await tried(tools, async () => {
    await post(`runs/${encodeURIComponent(run.run)}/cancel`);
    return { tone: "good", words: "The run is being canceled. Its job is told to stop; this takes a moment." };
  });
}

async function rerun(run, tools) {
  const words =
    "Files that failed or were canceled are gone on with. Predictions that are there already are used; only what is missing is scored, and paid for, once more.";
  if (!(await confirmed("Rerun this run?", words, "Rerun", "primary"))) return;
  await tried(tools, async () => {
    const { runs } = await post(`runs/${encodeURIComponent(run.run)}/rerun`);
    const same = runs.length === 1 && runs[0].run === run.run;
    return {
      tone: "good",
      words: same ? "This run goes on." : [`${counted(runs.length, "run")} started: `, listed(runs)],
    };
  });
}

const listed = (runs) => runs.map((run, index) => h("span", { key: run.run }, index ? ", " : "", runLink(run.run)));

/** Tells the outcome, whatever it is. */
async function tried(tools, act) {
  tools.acts(true);
  try {
    tools.told(await act());
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) tools.askForKey({ refused: true });
    tools.told({ tone: "bad", words: ["That was not done. ", text(problem.message)] });
  } finally {
    tools.acts(false);
    tools.refresh();
  }
}
