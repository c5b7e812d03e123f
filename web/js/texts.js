// Every sentence the page and the worker say, in English; texts.de.js says the same in German.
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
    denied_title: "Notifications are blocked for this page",
    denied_chrome:
      "Click the icon left of the address, choose “Site settings”, set Notifications to “Allow”. This page notices by itself.",
    denied_android:
      "Tap the icon left of the address, then “Permissions”, and allow notifications. If they stay blocked, open the phone's Settings → Apps → your browser → Notifications.",
    denied_firefox:
      "Click the icons left of the address and remove “Send notifications: Blocked”. Then press “Notify this browser” again.",
    denied_safari: "In Safari choose Settings → Websites → Notifications and set this page to “Allow”.",
    denied_ios: "Open the phone's Settings → Notifications → Taskbell and turn on “Allow Notifications”.",
    denied_other: "Open your browser's settings for this page and allow notifications.",
    unsupported_title: "This browser cannot be notified",
    unsupported_more:
      "It has no Web Push, or a private window keeps it from us. This page still shows every change while it is open.",
    unreachable_title: "The browser's push service does not answer",
    unreachable_more:
      "A firewall, a VPN or the browser's own settings may be in the way. Until it answers, this page shows every change while it is open.",
    install_title: "Put Taskbell on your home screen first",
    install_more: "iPhone and iPad notify only apps on the home screen.",
    install_share: "Tap “Share”",
    install_add: "Choose “Add to Home Screen”",
    install_open: "Open Taskbell from there",

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
    trouble_unknown_contact: "This contact is not there any more, or is not yours.",
    trouble_not_kept: "This contact was not opened here before, so it cannot be shown until the server is back.",
    trouble_many: "You already have 20 browsers. Remove one first.",
    trouble_endpoint: "The server does not know this browser's push service.",
    close: "Close",
    back: "Contacts",

    // The contact
    drafts: "Drafts",
    no_drafts: "No drafts yet. Assign an agent and one will appear here.",
    tasks: "Tasks",
    earlier: { one: "{n} earlier task", other: "{n} earlier tasks" },
    assign: "Assign",
    assign_title: "Ask an agent",
    assign_note: "Add a note (optional)",
    assigned: "{agent} has the task",
    approve: "Approve",
    reject: "Reject",
    retry: "Try again",
    show_all: "Show all",
    status_draft: "Draft",
    status_approved: "Approved",
    status_sent: "Sent",
    status_rejected: "Rejected",
    followups: "Follow-ups",
    status_scheduled: "Scheduled",
    status_done: "Done",
    status_cancelled: "Cancelled",
    activity: "Activity",
    no_subject: "No subject",
    mute: "Mute",
    unmute: "Unmute",
    muted: "Muted: no notifications for this contact",

    // Settings
    browsers: "Your browsers",
    no_browsers: "None is notified yet.",
    this_browser: "This browser",
    browser_on: "{browser} on {system}",
    rename: "Rename",
    new_name: "New name",
    save: "Save",
    remove: "Remove",
    remove_sure: "Really remove?",
    test: "Test",
    test_sent: "Sent. It should ring now.",
    test_failed: "The push service did not take it ({reason}).",
    test_seen: "It rang.",
    last_rang: "Last rang {when}",
    never_rang: "Has not rung yet",
    verified: "Tested {when}",
    retired: "Does not exist any more ({reason})",
    turn_off: "Turn off here",
    what: "Ring for",
    kind_draft_ready: "Drafts that are ready",
    kind_completed: "Finished tasks",
    kind_failed: "Failed tasks",
    kind_followup_due: "Follow-ups that fall due",
    which_agents: "Agents",
    muted_contacts: "Muted contacts",
    quiet: "Quiet hours",
    quiet_more: "What comes meanwhile rings when they end.",
    from: "From",
    until: "Until",
    time_zone: "Time zone",
    digest: "Gather bursts into one notification",
    language: "Language",
    saved: "Saved",
    sign_out: "Sign out",

    // Sign-in
    sign_in: "Sign in",
    sign_in_more: "Taskbell rings when your agents are done.",
    session_ended: "Your session has ended. Please sign in again.",
    email: "Email",
    password: "Password",
    send_link: "Mail me a link instead",
    link_sent: "A link is on its way to {email}. Open it in this browser.",
    wrong_password: "Email or password is wrong.",
    no_sign_in: "This server offers no way to sign in here. Open it at the address that `taskbell dev` printed.",

    // The worker
    open: "Open",
    approve_draft: "Approve draft",
    draft_approved: "Draft approved",
    something_new: "Something new in Taskbell",
    open_to_see: "Open it to see what changed.",
  };

  return { en, /** @type {Record<keyof typeof en, Phrases[string]>} */ de: en };
})();
Object.assign(self, { texts });
