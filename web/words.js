/** The words of the design, each with its shape, its tone and what it means. */

export const STAGES = {
  gathering: "choosing its files",
  gathered: "its files are chosen",
  packed: "ready for the model",
  submitting: "handing over the job",
  searching: "looking for its job",
  submitted: "the model is scoring",
  ended: "the job has ended",
  resulted: "what came of each file is known",
  closed: "finished",
};

export const CANCELABLE = ["gathering", "gathered", "packed", "submitting", "searching", "submitted"];

/** word: [icon, tone, meaning] */
const WORDS = {
  succeeded: ["check", "good", "every file is published"],
  partial: ["half", "warn", "some files are published, others are not"],
  rejected: ["slash", "warn", "the file is at fault"],
  failed: ["cross", "bad", "the app or the model is at fault"],
  canceled: ["stop", "calm", "somebody stopped it"],
  "timed-out": ["clock", "bad", "it passed its deadline"],
  released: ["back", "warn", "its files wait again"],
  empty: ["dot", "calm", "nothing was left to score"],
  published: ["check", "good", "its predictions are there"],
  unchanged: ["same", "good", "same content, same model: already published"],
  superseded: ["next", "calm", "a newer version came first"],
  withdrawn: ["minus", "calm", "deleted before it was read"],
  ignored: ["dot", "calm", "no route takes it"],
  waiting: ["wait", "calm", "waits for a free slot"],
  running: ["run", "busy", "a run is scoring it"],
  seen: ["dot", "calm", "in the inbox, not taken up yet"],
  gone: ["minus", "calm", "no longer in the inbox"],
  held: ["pause", "warn", "its route is held"],
};

export const OUTCOMES = ["succeeded", "partial", "rejected", "failed", "canceled", "timed-out", "released", "empty"];
export const FINAL_WORDS = ["published", "unchanged", "rejected", "failed", "superseded", "withdrawn", "canceled"];

export const look = (word) => {
  const [icon, tone, meaning] = WORDS[word] ?? ["dot", "calm", ""];
  return { icon, tone, meaning };
};
