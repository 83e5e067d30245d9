/** Each route as a card: what waits, which of its jobs are busy, and why it is held. */

import { h } from "./dom.js";
import { count, duration } from "./format.js";
import { icon } from "./icons.js";
import { ago, facts, message, nothing, text, time } from "./pieces.js";

/** Where the routes that are in force come from, if those that were written last have a mistake. */
const IN_FORCE = {
  blob: "those that were in force before stay so.",
  "last-good": "those that were in force before stay so.",
  packaged: "those that came with the app are in force.",
};

export function routesPanel({ routes, problem, source }, tools) {
  const wrong = problem
    ? h(
        "div",
        { class: "notice bad" },
        icon("alert"),
        h(
          "div",
          {},
          h("p", {}, h("b", {}, "The routes have a mistake; "), IN_FORCE[source] ?? IN_FORCE.blob),
          h("p", {}, message(problem)),
          h("p", {}, "Mend config/routes.toml, or go back: ", h("span", { class: "mono" }, "dropscore routes rollback")),
        ),
      )
    : null;
  const shown = routes.length
    ? h(
        "ul",
        { class: "routes" },
        routes.map((route) => routeCard(route, tools)),
      )
    : h(
        "div",
        { class: "panel" },
        nothing(
          "file",
          "There are no routes yet",
          "A route says which files go to which model. Add one to config/routes.toml.",
        ),
      );
  return h("section", { "aria-label": "Routes" }, wrong, shown);
}

function routeCard(route, tools) {
  return h(
    "li",
    { class: `card ${route.held ? "held" : ""}`, key: route.name },
    h("h2", {}, h("a", { href: `#/runs?route=${encodeURIComponent(route.name)}` }, text(route.name))),
    h("p", { class: "quiet pattern" }, text(route.pattern)),
    modelLine(route),
    h("p", { class: "standing" }, slots(route), h("span", {}, standing(route))),
    route.held
      ? h(
          "p",
          { class: "notice warn" },
          icon("pause"),
          h(
            "span",
            {},
            h("b", {}, "Held. "),
            message(route.held.why),
            route.held.until ? [" Next try: ", time(route.held.until, tools.now), "."] : null,
          ),
        )
      : null,
    facts([
      ["Oldest waiting", route.oldest_waiting ? ago(route.oldest_waiting, tools.now) : null],
      ["Usually takes", route.typical_seconds ? duration(route.typical_seconds) : null],
      ["Schedule", route.schedule ? h("span", { class: "mono" }, text(route.schedule)) : null],
      ["Next due", route.next_due ? time(route.next_due, tools.now) : null],
    ]),
  );
}

/** The endpoint, without what all of them have in common; the whole address is in the title. */
function modelLine({ model, deployment }) {
  const shown = model
    .replace(/^https?:\/\//, "")
    .replace(/\/jobs\/?$/, "")
    .replace(/\.inference\.ml\.azure\.com(?=\/|$)/, "");
  return h(
    "p",
    { class: "quiet small model", title: model },
    "Model: ",
    text(shown),
    deployment ? [", deployment ", text(deployment)] : null,
  );
}

/** One square per job the route may have at a time. */
function slots({ busy: taken, max_jobs: most }) {
  if (most > 12) return null;
  const squares = Array.from({ length: Math.max(most, taken) }, (_, index) =>
    h("i", { class: index < taken ? "taken" : "" }),
  );
  return h("span", { class: "slots", "aria-hidden": "true" }, squares);
}

function standing({ waiting, busy: taken, max_jobs: most, schedule, held }) {
  const jobs = `${count(taken)} of ${count(most)} jobs busy`;
  const reason = held ? "the route is held" : schedule && !taken ? "until it is due" : jobs;
  if (waiting) return [h("b", {}, `${count(waiting)} waiting`), `: ${reason}`];
  return taken ? jobs : "Idle";
}
