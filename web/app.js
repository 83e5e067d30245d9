/** The page: which screen stands where, what it shows now, and how fresh that is. */

import * as activity from "./activity.js";
import { get, key, now } from "./api.js";
import { connectionBanner, healthBanner } from "./banners.js";
import { askedForKey } from "./dialogs.js";
import { h, render } from "./dom.js";
import * as file from "./file.js";
import * as find from "./find.js";
import { exact, moment } from "./format.js";
import { frame } from "./frame.js";
import { icon } from "./icons.js";
import { Live } from "./live.js";
import * as missing from "./missing.js";
import * as overview from "./overview.js";
import * as run from "./run.js";
import * as runs from "./runs.js";
import { Search } from "./search.js";
import { trouble } from "./states.js";

const KEPT = 12;
const HEALTH_EVERY = 30_000;
const PAUSE_BEFORE_BONES = 120;
const SCREENS = Object.assign(Object.create(null), { "": overview, files: file, find, activity });
const node = (id) => document.getElementById(id);

const seen = new Map();
const scrolls = new Map();
const state = {
  place: placeOf(location.hash),
  data: null,
  problem: null,
  at: 0,
  health: null,
  notice: null,
  acting: false,
  late: false,
  focus: false,
  scroll: null,
};
const search = new Search(drawFrame);
const live = new Live({ load, shown, failed, busy: () => state.data !== null && state.place.screen.busy(state.data) });

/** #/runs/01J…?word=failed: the screen, what it is about, and how it is asked for. */
function placeOf(hash) {
  const [path, query] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [first, ...rest] = path.split("/").map(decoded);
  const about = rest.join("/");
  const screen = first === "runs" ? (about ? run : runs) : (SCREENS[first] ?? missing);
  return { hash, first, about, screen, query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function load(signal, early) {
  if (!state.health || Date.now() - state.health.askedAt > HEALTH_EVERY) loadHealth();
  return state.place.screen.load(state.place, state.data, signal, early);
}

/** A page without it is still a page: nothing waits for it. */
async function loadHealth() {
  state.health = { row_values: false, ...state.health, askedAt: Date.now() };
  const found = await get("health").catch(() => ({}));
  state.health = { ...state.health, ...found };
  draw();
}

function shown(data) {
  const before = state.data;
  Object.assign(state, { data, problem: null, at: now(), keyRefused: false });
  // What it announced has come about.
  if (state.notice?.until?.(data)) state.notice = null;
  remember(state.place.hash, data);
  if (before) say(state.place.screen.changes?.(before, data));
  draw();
}

function failed(problem) {
  state.problem = problem;
  if (problem.status === 401) {
    state.keyRefused = Boolean(key.get());
    state.data = null;
  }
  if (problem.status === 404) state.data = null;
  if (problem.status === undefined) console.error(problem);
  draw();
}

/** The way back shows at once what was there. */
function remember(hash, data) {
  seen.delete(hash);
  seen.set(hash, data);
  if (seen.size > KEPT) seen.delete(seen.keys().next().value);
}

function say(words) {
  if (words) node("said").textContent = words;
}

function go() {
  scrolls.set(state.place.hash, scrollY);
  const back = history.state?.dropscore === true;
  const place = placeOf(location.hash);
  const same = place.screen === state.place.screen && place.about === state.place.about;
  const kept = seen.get(place.hash) ?? (same ? state.data : null);
  Object.assign(state, {
    place,
    data: kept,
    problem: null,
    late: false,
    notice: same ? state.notice : null,
    focus: !same,
  });
  state.scroll = back ? (scrolls.get(place.hash) ?? 0) : same ? null : 0;
  history.replaceState({ dropscore: true }, "");
  setTimeout(becomeLate, PAUSE_BEFORE_BONES, place);
  if (kept) draw();
  else drawFrame();
  live.refresh();
}

/** Bones come only where there is something to wait for. */
function becomeLate(place) {
  if (state.place !== place || state.data || state.problem) return;
  state.late = true;
  draw();
}

function tools() {
  return {
    place: state.place,
    now: now(),
    health: state.health ?? {},
    notice: state.notice,
    acting: state.acting,
    keyRefused: state.keyRefused,
    askForKey,
    refresh: () => live.refresh(),
    redraw: draw,
    search: search.view(),
    told: (notice) => set({ notice }),
    acts: (acting) => set({ acting }),
  };
}

function set(changes) {
  Object.assign(state, changes);
  draw();
}

async function askForKey({ refused } = {}) {
  if (document.querySelector("dialog[open]") || !(await askedForKey(refused === true))) return;
  seen.clear();
  set({ data: null, problem: null, keyRefused: false, late: true });
  live.refresh();
}

function draw() {
  drawFrame();
  const { screen } = state.place;
  document.title = `${screen.title(state.place)} · dropscore`;
  const content = state.data
    ? [noticed(), screen.view(state.data, tools())]
    : state.problem
      ? trouble(state.problem, tools())
      : state.late
        ? screen.skeleton(state.place)
        : null;
  if (content === null) return;
  render(node("main"), h("div", { key: `${state.place.first}/${state.place.about}`, class: "screen" }, content));
  node("main").setAttribute("aria-busy", String(!state.data && !state.problem));
  if (state.data || state.problem) settle();
}

/** After a change of screens: to its heading, and to where it was left. */
function settle() {
  if (state.focus) (document.querySelector("main h1") ?? node("main")).focus({ preventScroll: true });
  if (state.scroll !== null) scrollTo(0, state.scroll);
  Object.assign(state, { focus: false, scroll: null });
}

function noticed() {
  if (!state.notice) return h("div", { key: "notice", role: "status" });
  const { tone, words } = state.notice;
  const close = h(
    "button",
    { type: "button", class: "plain", "aria-label": "Dismiss", onclick: () => set({ notice: null }) },
    icon("cross"),
  );
  return h(
    "div",
    { key: "notice", role: "status" },
    h("div", { class: `notice ${tone}` }, icon(tone === "good" ? "check" : "alert"), h("p", {}, words), close),
  );
}

function drawFrame() {
  render(node("frame"), frame(tools()));
  render(node("banner"), [connectionBanner(state, live), healthBanner(state.health)]);
  if (!state.at) return;
  const at = h("time", { title: exact(state.at) }, moment(state.at, now()));
  render(node("updated"), [
    h("i", { class: `pulse ${live.failures ? "lost" : ""}`, "aria-hidden": "true" }),
    "Last updated ",
    at,
  ]);
}

function tick() {
  if (document.hidden) return;
  if (state.data && state.place.screen.busy(state.data)) draw();
  else drawFrame();
}

function shortcut(event) {
  const typing =
    event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey;
  if (event.key !== "/" || typing) return;
  event.preventDefault();
  node("search").focus();
}

function skip(event) {
  event.preventDefault();
  (document.querySelector("main h1") ?? node("main")).focus();
}

history.scrollRestoration = "manual";
history.replaceState({ dropscore: true }, "");
addEventListener("hashchange", go);
addEventListener("keydown", shortcut);
document.querySelector(".skip").addEventListener("click", skip);
setInterval(tick, 1000);
setTimeout(becomeLate, PAUSE_BEFORE_BONES, state.place);
drawFrame();
live.refresh();
