/** The head of every page: where one is, the search, how fresh what is shown is, the theme, the key. */

import { isLocal, isRefused, key, needsNoKey } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

const SCREENS = [
  ["", "home", "Overview"],
  ["runs", "runs", "Runs"],
  ["activity", "activity", "Activity"],
];
const THEMES = { system: "light", light: "dark", dark: "system" };

/** `tools`: place, live ("live", "slow", "lost"), search (its description), askForKey, redraw. */
export function frame(tools) {
  return h(
    "div",
    { class: "frame-inner" },
    h("a", { class: "brand", href: "#/", "aria-label": "dropscore, overview" }, mark(), h("span", {}, "dropscore")),
    navigation(tools.place.first),
    tools.search,
    h("div", { class: "tools" }, themeButton(tools.redraw), keyButton(tools.askForKey)),
  );
}

function mark() {
  return h(
    "svg",
    { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true" },
    h("rect", { width: 32, height: 32, rx: 8 }),
    h("path", { d: "M16 6v11m-5-5 5 5 5-5M8 20v4a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-4" }),
  );
}

function navigation(first) {
  const link = ([name, shape, label]) =>
    h(
      "a",
      { key: name, href: `#/${name}`, "aria-current": name === first ? "page" : null },
      icon(shape),
      h("span", {}, label),
    );
  return h("nav", { "aria-label": "Screens" }, SCREENS.map(link));
}

export const theme = () => document.documentElement.dataset.theme ?? "system";

function themeButton(redraw) {
  const chosen = theme();
  const change = () => {
    const next = THEMES[chosen];
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    localStorage.setItem("dropscore.theme", next);
    redraw();
  };
  const label = `Theme: ${chosen}. Change to ${THEMES[chosen]}`;
  return h(
    "button",
    { type: "button", class: "plain", key: "theme", "aria-label": label, title: label, onclick: change },
    icon(chosen),
  );
}

function keyButton(ask) {
  const { words, label, tone, shape } = keyStanding();
  return h(
    "button",
    { type: "button", key: "key", class: `plain key ${tone ?? ""}`, title: label, onclick: ask },
    icon(shape ?? "key"),
    h("span", {}, words),
  );
}

/** By what the app has answered, as far as it has. */
function keyStanding() {
  if (key.get() && isRefused())
    return { words: "Key refused", label: "The app did not accept this key: change it", tone: "refused", shape: "lock" };
  if (key.get()) return { words: "Key entered", label: "Change or forget the key", tone: "has-key" };
  if (needsNoKey())
    return { words: "No key needed", label: "The local stack asks for a key only when it is started with one" };
  if (isLocal() && !isRefused()) return { words: "Key", label: "Enter a key" };
  return { words: "Enter a key", label: "Nothing can be changed until a key is entered", shape: "lock" };
}
