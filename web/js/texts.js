// Every sentence the page says at first, in English; texts.more.js has those of what is opened later, and of the
// worker; texts.de.js says all of them in German. What a notification says is written in functions/taskbell/notify/
// texts.py, because the function runs elsewhere; a test holds the words that are said in both places together.
// Numbers, dates and plurals come from Intl. `{name}` is filled in; an object holds the plural forms of `{n}`.
// Read by the page (import) and by the worker (importScripts): it offers the global `texts`.
// Another language: one more file like texts.de.js, and its name in language.js and sw.js.

/** @typedef {Record<string, string | Partial<Record<Intl.LDMLPluralRule, string>>>} Phrases */

const texts = (() => {
  const en = {
    // Badges
    pending: "Waiting",
    in_progress: "Working",
    draft_ready: "Draft ready",
    draft_unseen: "Unseen draft",
    completed: "Finished",
    failed: "Failed",
    an_agent: "Agent",
    no_name: "No name",

    // The list
    attention: "For you",
    working: "At work",
    rest: "Everyone else",
    no_contacts: "No contacts yet",
    no_contacts_more: "Contacts in your database appear here by themselves.",
    choose_contact: "Choose a contact to see drafts, tasks and activity.",
    loading: "One moment …",
    skip_to_list: "Skip to contacts",
    last_draft_ready: "{agent}: draft {when}",
    last_completed: "{agent}: finished {when}",
    last_failed: "{agent}: failed {when}",
    unseen_count: { one: "{n} contact with news", other: "{n} contacts with news" },

    // Said to screen readers when a badge changes
    says_pending: "{agent} has a task for {name}",
    says_in_progress: "{agent} is working for {name}",
    says_draft_ready: "Draft ready for {name}, by {agent}",
    says_completed: "{agent} finished for {name}",
    says_failed: "{agent} failed for {name}",

    // How this browser gets its updates
    push_on: "Push on",
    push_off: "Push off",
    push_denied: "Push blocked",
    push_unsupported: "No push here",
    push_install: "Push after installing",
    push_subscribing: "Turning push on …",
    push_unreachable: "Push service out of reach",
    push_broken: "Push did not start",
    push_unknown: "…",
    live: "live",
    polling: { one: "checking every second", other: "checking every {n} s" },
    offline: "offline",
    starting: "connecting",
    notify: "Notify this browser",
    notify_again: "Try again",
    how_to: "What to do",
    hide_help: "Close",
    settings: "Settings",
    assigned: "{agent} has the task",
    back: "Contacts",

    // Troubles
    trouble_offline: "You are offline. Last checked {when}.",
    trouble_server: "The server cannot be reached. Next try in {n} s.",
    trouble_now: "Trying again …",
    try_now: "Try now",
    trouble_storage_full:
      "This browser's storage is full: what you see is not kept for later. Free some space to read it offline.",
    trouble_storage_forbidden:
      "This browser keeps nothing for us: leave the private window or allow site data to read offline.",
    trouble_action: "That did not work. Please try again.",
    trouble_part: "This part of the page could not be loaded. Check the network, then try again.",
  };

  return { en, /** @type {Record<Phrase, Phrases[string]>} */ de: /** @type {any} */ (en) };
})();
Object.assign(self, { texts });
