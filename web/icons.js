/** Icons as paths on a 16 by 16 grid, drawn with the colour of the text around them. */

import { h } from "./dom.js";

const PATHS = {
  activity: "M1.5 8.5h3l2-5.5 3 10 2-4.5h3",
  alert: "M8 2 1.5 13.5h13zM8 6.5v3.2m0 2v.1",
  back: "M6 4 2.5 7.5 6 11M3 7.5h6a4 4 0 0 1 0 8H8",
  check: "m3 8.5 3.5 3.5L13 4.5",
  clock: "M8 1.5a6.5 6.5 0 1 0 .01 0M8 4.5V8l2.5 2",
  cross: "m4 4 8 8m0-8-8 8",
  dark: "M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z",
  dot: "M8 6.5a1.5 1.5 0 1 0 .01 0",
  down: "M8 2v8m-3.5-3.5L8 10l3.5-3.5M2.5 13.5h11",
  file: "M4 1.5h5L12.5 5v9.5h-9v-13zM9 1.5V5h3.5",
  half: "M8 2a6 6 0 1 0 .01 0M8 2v12M8 5h5M8 8h6M8 11h5",
  home: "M2.5 7.5 8 2.5l5.5 5M4 6.5v7h8v-7",
  key: "M10 2.5a3.5 3.5 0 1 0 .01 0M7.5 8.5l-5 5M4 12l1.5 1.5",
  left: "M10 3.5 5.5 8l4.5 4.5",
  light: "M8 5a3 3 0 1 0 .01 0M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1m8 8 1 1m0-10-1 1m-8 8-1 1",
  lock: "M3.5 7.5h9v6.5h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  minus: "M3.5 8h9",
  next: "m3.5 4 4 4-4 4m5-8 4 4-4 4",
  out: "M6.5 3.5h-4v10h10v-4M9 2.5h4.5V7M13 3 7.5 8.5",
  pause: "M5.5 3.5v9m5-9v9",
  right: "M6 3.5 10.5 8 6 12.5",
  run: "M8 2a6 6 0 1 1-6 6",
  runs: "M2 4h.1M5 4h9M2 8h.1M5 8h9M2 12h.1M5 12h9",
  same: "M3.5 6h9m-9 4h9",
  search: "M7 2a5 5 0 1 0 .01 0M10.8 10.8 14 14",
  slash: "M8 2a6 6 0 1 0 .01 0M4 12l8-8",
  stop: "M4 4h8v8H4z",
  system: "M2 3h12v8H2zM6 14h4M8 11v3",
  wait: "M4.5 2h7M4.5 14h7M5.5 2v3L8 8l2.5-3V2m-5 12v-3L8 8l2.5 3v3",
};

export function icon(name, properties) {
  return h(
    "svg",
    { class: `icon icon-${name}`, viewBox: "0 0 16 16", "aria-hidden": "true", ...properties },
    h("path", { d: PATHS[name] ?? PATHS.dot }),
  );
}
