// A notification is clicked or dismissed. A click shows the contact in a tab of ours that is open, else opens one.

const APPROVED_SHOWN_MS = 4_000;
const ANSWER_MS = 400; // a browser forgets the click after a second

/** @param {Notification} notification @param {string} action "", "open" or "approve" */
async function onClick(notification, action) {
  /** @type {NoteData} */
  const data = notification.data ?? { navigate: "/", lang: "en", contact_id: null };
  const show = () => showContact(data).catch(() => showAgain(notification, data));
  const opened = action === "approve" ? approve(data, notification.tag).catch(show) : show();
  await Promise.allSettled([opened, receipt(data.receipt, "clicked")]);
}

/** @param {Notification} notification */
async function onClose(notification) {
  await receipt(notification.data?.receipt, "closed");
}

/**
 * The right to focus or open a window lasts only a moment after the click, and in Chromium for one call. So a page that
 * is open is first asked whether it stays, and only then given the focus. @param {NoteData} data
 */
async function showContact(data) {
  const page = await pageThatStays(data);
  if (!(await page?.focus().catch(() => null))) await scope.clients.openWindow(data.navigate);
}

/** @param {NoteData} data @returns {Promise<WindowClient | null>} the page that shows the contact from now on, if one is open */
async function pageThatStays({ contact_id: contact, navigate: url }) {
  const pathOf = (/** @type {string} */ address) => new URL(address, scope.location.href).pathname;
  const rank = (/** @type {WindowClient} */ page) => Number(page.focused) * 2 + Number(page.visibilityState === "visible");
  const open = (await pages()).filter((page) => pathOf(page.url) === pathOf(url)).sort((a, b) => rank(b) - rank(a));
  for (const page of open) if (await stays(page, { type: "show", contact, url })) return page;
  return null;
}

/** @param {WindowClient} page @param {WorkerMessage} message @returns {Promise<boolean>} false: it is being left, or is gone */
async function stays(page, message) {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data === true);
    setTimeout(resolve, ANSWER_MS);
  });
  page.postMessage(message, [port2]);
  // One that is there and says nothing sleeps, or has much to do: it hears the message when it wakes.
  const stays = (await answer) ?? Boolean(await scope.clients.get(page.id));
  port1.close();
  return stays;
}

/** No window could be had: the notification comes back, to be clicked again. @param {Notification} notification @param {NoteData} data */
async function showAgain({ title, body, tag, lang }, data) {
  const note = { title, body, tag, lang, data, silent: true, badge: null };
  await scope.registration.showNotification(title, /** @type {NotificationOptions} */ (optionsOf(note, true)));
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
