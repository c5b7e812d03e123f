// A notification is clicked or dismissed. A click shows the contact in a tab of ours that is open, else opens one.

const APPROVED_SHOWN_MS = 4_000;

/** @param {Notification} notification @param {string} action "", "open" or "approve" */
async function onClick(notification, action) {
  /** @type {NoteData} */
  const data = notification.data ?? { navigate: "/", lang: "en", contact_id: null };
  const opened =
    action === "approve" ? approve(data, notification.tag).catch(() => showContact(data)) : showContact(data);
  await Promise.allSettled([opened, receipt(data.receipt, "clicked")]);
}

/** @param {Notification} notification */
async function onClose(notification) {
  await receipt(notification.data?.receipt, "closed");
}

/** The right to focus or open a window lasts only a moment after the click: first things first. @param {NoteData} data */
async function showContact(data) {
  const open = await pages();
  const best = open.find((page) => page.focused) ?? open.find((page) => page.visibilityState === "visible") ?? open[0];
  if (!best) return void (await scope.clients.openWindow(data.navigate));
  const focused = await best.focus().catch(() => best);
  /** @type {WorkerMessage} */
  const message = { type: "show", contact: data.contact_id, url: data.navigate };
  focused.postMessage(message);
}

/**
 * Approves the draft that rang, without a page; rejects where that cannot be, and the contact is opened instead.
 * @param {NoteData} data
 * @param {string} tag
 */
async function approve(data, tag) {
  const contact = encodeURIComponent(data.contact_id ?? "");
  /** @type {ContactDetails} */
  const details = await (await apiCall("GET", `/v1/contacts/${contact}`)).json();
  const waiting = details.drafts
    .filter(({ status, agent_id }) => status === "draft" && (!data.agent_id || agent_id === data.agent_id))
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  // Of the task that rang, or of none: what another task wrote since, nobody has been shown.
  const ofTask = (/** @type {string | null} */ task) => waiting.filter(({ task_id }) => task_id === task);
  const [draft] = data.task_id ? [...ofTask(data.task_id), ...ofTask(null)] : waiting;
  if (!draft) throw new Error("no draft waits");
  await apiCall("POST", `/v1/drafts/${encodeURIComponent(draft.id)}/review`, { status: "approved" });
  await Promise.allSettled([
    apiCall("POST", `/v1/contacts/${contact}/seen`),
    tellPages({ type: "push", contact: data.contact_id, event: null, kind: "approved" }),
    confirmApproved(data, tag),
  ]);
}

/** @param {NoteData} data @param {string} tag */
async function confirmApproved(data, tag) {
  await scope.registration.showNotification(phrase(data.lang, "draft_approved"), {
    body: data.contact_name ?? "",
    tag,
    silent: true,
    icon: "/icons/icon-192.png",
    data: { ...data, receipt: null, kind: "approved" },
  });
  await new Promise((resolve) => setTimeout(resolve, APPROVED_SHOWN_MS));
  for (const shown of await scope.registration.getNotifications({ tag }))
    if (shown.data?.kind === "approved") shown.close();
}
