// Which browser this is: for its name in the list of browsers, and for the steps that differ between them.

import "./texts.more.js";
import { say } from "./language.js";
import { isIos } from "./push.js";

const agent = navigator.userAgent;
/** @type {{brands?: {brand: string}[], platform?: string} | undefined} */
const hints = /** @type {any} */ (navigator).userAgentData;

/** @param {[RegExp, string][]} names @param {string} otherwise */
const match = (names, otherwise) => names.find(([pattern]) => pattern.test(agent))?.[1] ?? otherwise;

/** "Firefox on Linux". */
export function browserName() {
  const brand = hints?.brands
    ?.find(({ brand }) => /Edge|Opera|Brave|Vivaldi|Chrome$/.test(brand))
    ?.brand.replace(/^(Google|Microsoft) /, "");
  const browser = match(
    [
      [/Edg/, "Edge"],
      [/OPR\//, "Opera"],
      [/SamsungBrowser/, "Samsung Internet"],
      [/Firefox|FxiOS/, "Firefox"],
      [/CriOS/, "Chrome"],
    ],
    brand ??
      match(
        [
          [/Chrome|Chromium/, "Chrome"],
          [/Safari/, "Safari"],
        ],
        "Browser",
      ),
  );
  const system = isIos()
    ? match([[/iPhone/, "iPhone"]], "iPad")
    : match(
        [
          [/Android/, "Android"],
          [/Windows/, "Windows"],
          [/CrOS/, "ChromeOS"],
          [/Mac/, "macOS"],
          [/Linux/, "Linux"],
        ],
        hints?.platform ?? "",
      );
  return system ? say("browser_on", { browser, system }) : browser;
}

/** How to undo blocked notifications here, a key of texts.more.js. */
export function deniedHelp() {
  if (isIos()) return "denied_ios";
  if (/Android/.test(agent)) return "denied_android";
  if (/Firefox/.test(agent)) return "denied_firefox";
  if (/Chrome|Chromium/.test(agent)) return "denied_chrome";
  return /Safari/.test(agent) ? "denied_safari" : "denied_other";
}
