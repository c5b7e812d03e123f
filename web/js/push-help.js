// What stands in the way of push here, and what to do about it: words, and pictures where a hand has to find something.
// Loaded when somebody asks, or when turning push on has failed.

import "./texts.more.js";
import { deniedHelp } from "./browser.js";
import { h, icon } from "./dom.js";
import { say } from "./language.js";

/** @typedef {"denied" | "install" | "unsupported" | "unreachable" | "broken"} Obstacle */

const STEPS = /** @type {const} */ (["share", "add", "open"]);

/** @param {Obstacle} state @returns {HTMLElement} */
export function pushHelp(state) {
  const more = state === "denied" ? deniedHelp() : /** @type {const} */ (`${state}_more`);
  const steps = STEPS.map((step) => h("li", {}, icon(`install-${step}`), h("span", { text: say(`install_${step}`) })));
  return h(
    "div",
    { class: "help", id: "push-help", "data-key": "help", "data-testid": "push-help" },
    h("h2", { text: say(`${state}_title`) }),
    h("p", { text: say(more) }),
    state === "install" && h("ol", { class: "steps" }, ...steps),
  );
}

/** Why the server did not take this browser, a key of the texts. @param {string} reason a slug of the api @returns {Phrase} */
export const refusedHelp = (reason) =>
  reason === "too_many_subscriptions"
    ? "trouble_many"
    : reason === "endpoint_not_allowed"
      ? "trouble_endpoint"
      : "trouble_action";
