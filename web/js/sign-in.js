// The sign-in form, where a Supabase session is needed: email and password, or a link by mail. No SDK.

import "./texts.more.js";
import { toast } from "./announce.js";
import { serverConfig, startOver } from "./connection.js";
import { h } from "./dom.js";
import { say } from "./language.js";
import { sendLink, signIn } from "./signing.js";
import { get } from "./store.js";

/** @returns {HTMLElement} */
export function signInView() {
  const heading = h("h2", { tabindex: -1, text: say("sign_in") });
  const why = h("p", { class: "quiet", text: say(get().sessionEnded ? "session_ended" : "sign_in_more") });
  if (!serverConfig()?.supabase_url || serverConfig().demo_token) {
    return h(
      "section",
      { class: "sign-in", "data-testid": "no-sign-in" },
      heading,
      h("p", { text: say("no_sign_in") }),
    );
  }
  const form = /** @type {HTMLFormElement} */ (
    h(
      "form",
      { class: "sign-in", "data-testid": "sign-in" },
      h("img", { class: "mark", src: "/icons/taskbell.svg", alt: "" }),
      heading,
      why,
      field("email", "email", "username"),
      field("password", "password", "current-password"),
      h("p", { class: "wrong", role: "alert" }),
      h(
        "p",
        { class: "actions" },
        h("button", { class: "main", type: "submit", text: say("sign_in") }),
        h("button", { class: "link", type: "button", text: say("send_link") }),
      ),
    )
  );
  form.addEventListener("submit", (event) => (event.preventDefault(), void enter(form)));
  form.querySelector("[type=button]")?.addEventListener("click", () => void mailLink(form));
  return form;
}

/** @param {"email" | "password"} name @param {string} type @param {string} autocomplete */
function field(name, type, autocomplete) {
  return h(
    "label",
    { class: "field" },
    h("span", { text: say(name) }),
    h("input", { name, type, autocomplete, required: true }),
  );
}

/** @param {HTMLFormElement} form @param {string} name */
const value = (form, name) => String(new FormData(form).get(name) ?? "").trim();

/** @param {HTMLFormElement} form @param {string} text */
function wrong(form, text) {
  const line = form.querySelector(".wrong");
  if (line) line.textContent = text;
}

/** @param {HTMLFormElement} form */
async function enter(form) {
  form.inert = true;
  wrong(form, "");
  try {
    if (await signIn(value(form, "email"), String(new FormData(form).get("password"))))
      startOver(location.pathname + location.search); // to what was to be seen, a contact that rang perhaps
    else wrong(form, say("wrong_password"));
  } catch {
    wrong(form, say("trouble_action"));
  }
  form.inert = false;
}

/** @param {HTMLFormElement} form */
async function mailLink(form) {
  const email = form.querySelector("input");
  if (!email?.reportValidity()) return;
  const sent = await sendLink(email.value, `${location.origin}/`).catch(() => false);
  if (sent) toast(say("link_sent", { email: email.value }));
  else wrong(form, say("trouble_action"));
}
