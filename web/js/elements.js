// Taskbell in any app: one import brings both elements with their styles, and `start` brings them to life.
//
//   <contact-card contact-id="…"></contact-card>
//   <contact-view contact-id="…"></contact-view>
//   <script type="module">
//     import { start } from "/js/elements.js";
//     await start({ token: async () => (await supabase.auth.getSession()).data.session?.access_token });
//   </script>
//
// Your app serves these files and passes /v1 on, both at its own origin. Without `token` the user is whoever signed in
// on Taskbell's own page here. Elements may be added, changed and removed at any time.
//
// <contact-card>  attributes: contact-id (required); selected (it is the one that is open)
//                 event: contact-open {contactId}; prevent it, or it is a link to Taskbell's own page
// <contact-view>  attribute: contact-id (required); changing it shows another contact
//                 events: contact-close {}, contact-seen {contactId}, task-retried {taskId},
//                 task-assigned {contactId, agentId, taskId, agent}, draft-reviewed {draftId, status},
//                 trouble {message}: a sentence to show
// All events bubble and carry what stands in braces as `detail`. On `document` beside them: taskbell-news, an array
// of contact states that changed. Colours are custom properties, listed in app.css; set them on the elements.

import { ContactCard } from "./contact-card.js";
import { ContactView } from "./contact-view.js";
import { connect } from "./connection.js";
import { style } from "./dom.js";
import { watch, get } from "./store.js";

for (const sheet of ["/app.css", "/css/cards.css", "/css/view.css", "/css/forms.css"]) void style(sheet);

/**
 * Connects to the server and keeps every element right until the page is left.
 * @param {{token?: TokenSource}} [options] token: the user's Supabase access token, asked for before each request, or
 *   nothing where nobody is signed in; it refreshes itself where your app keeps it
 * @returns {Promise<boolean>} false: nobody is signed in, and the elements stay empty
 */
export async function start({ token } = {}) {
  if (token) session.provide(token);
  await connect();
  return !get().signedOut;
}

/** Calls back now and whenever the number of contacts with something unseen changes. @param {(unseen: number) => void} show */
export const onUnseen = (show) => watch(["inbox"], () => show(get().inbox?.unseen ?? 0));

export { ContactCard, ContactView };
