/** What is shown in place of a screen that cannot be shown. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { message } from "./pieces.js";

/** The problem, and what to do about it. `tools`: askForKey, refresh. */
export function trouble(problem, tools) {
  if (problem.status === 401) return locked(tools);
  if (problem.status === 404) return framed("search", "Not found", problem, [overviewLink()]);
  if (problem.status === 0)
    return framed(
      "alert",
      "The app does not answer",
      { message: "This page keeps trying. Is the app running, and this computer online?" },
      [again(tools)],
    );
  return framed("alert", "That did not work", problem, [again(tools), tools.place.first ? overviewLink() : null]);
}

function locked(tools) {
  const words = tools.keyRefused
    ? "The app did not accept the key. It may have been renewed, or belong to another app."
    : "The app shows runs and files to those who have one of its function keys. It stays in this tab and goes with it.";
  const button = h(
    "button",
    { class: "primary", type: "button", onclick: tools.askForKey },
    icon("key"),
    "Enter a key",
  );
  return framed("lock", tools.keyRefused ? "This key does not fit" : "A key, please", { message: words }, [button]);
}

function framed(shape, title, problem, actions) {
  return h(
    "div",
    { class: "trouble" },
    icon(shape),
    h("h1", { tabindex: "-1" }, title),
    h("p", {}, message(problem.message)),
    h("div", { class: "row center" }, actions),
  );
}

const again = (tools) => h("button", { type: "button", class: "primary", onclick: tools.refresh }, "Try again");
const overviewLink = () => h("a", { class: "button", href: "#/" }, "Go to the overview");
