/** What is wrong with what is shown: the connection, or the app itself. */

import { now } from "./api.js";
import { h } from "./dom.js";
import { moment } from "./format.js";
import { icon } from "./icons.js";

/** What is shown is no longer what is. */
export function connectionBanner(state, live) {
  if (!state.problem || !state.data) return null;
  const wait = Math.max(0, Math.ceil((live.nextAt - Date.now()) / 1000));
  const words = state.problem.status === 0 ? "Connection lost." : "The app is in trouble.";
  const next = wait ? ` Trying again in ${wait} s.` : " Trying again…";
  return h(
    "div",
    { class: "banner bad", key: "lost" },
    icon("alert"),
    h(
      "div",
      {},
      h("span", { role: "alert" }, `${words} You see what was there at ${moment(state.at, now())}.`),
      h("span", {}, next),
      h("button", { type: "button", class: "link", onclick: () => live.refresh() }, "Try now"),
    ),
  );
}

const UNWELL = {
  stale: () =>
    "The app’s sweep has not shown a sign of life for a while: dropped files may not be taken up. Look at the app’s log.",
  broken: ({ why }) => `The app cannot work. ${why ? `${why} ` : ""}Its log says more, and so does dropscore doctor.`,
};

export function healthBanner(health) {
  const words = UNWELL[health?.status]?.(health);
  if (!words) return null;
  return h("div", { class: "banner warn", key: "stale" }, icon("clock"), h("div", { role: "alert" }, words));
}
