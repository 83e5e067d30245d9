/** What is shown at an address that is no screen. */

import { Problem } from "./api.js";
import { trouble } from "./states.js";

export const title = () => "No such page";
export const busy = () => false;
export const load = async () => ({});

export function view(_data, tools) {
  return trouble(new Problem(404, "no-such-page", `There is no such page: #/${tools.place.first}.`), tools);
}

export const skeleton = () => null;
