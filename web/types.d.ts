// The shapes that cross the edges of the page and the worker: /v1 as the api answers it, what is stored,
// and what tabs and worker say to each other. Never loaded by a browser; only the type checker reads it.

type TaskStatus = "pending" | "in_progress" | "draft_ready" | "completed" | "failed";
/** ISO 8601, UTC. */
type Timestamp = string;

interface Config {
  vapid_public_key: string;
  supabase_url: string | null;
  supabase_publishable_key: string | null;
  poll_interval_seconds: number;
  can_hold: boolean;
  demo_token: string | null;
}

/** What one agent last did for one contact. */
interface ContactState {
  contact_id: string;
  contact_name: string | null;
  agent_id: string;
  agent_name: string | null;
  task_id: string;
  status: TaskStatus;
  reason: string | null;
  ready_at: Timestamp | null;
  changed_at: Timestamp;
  unseen: boolean;
  event_id: number;
}
interface Inbox {
  version: number;
  now: Timestamp;
  unseen: number;
  states: ContactState[];
}

interface Contact {
  id: string;
  name: string;
  email: string | null;
  company: string | null;
}
interface Agent {
  id: string;
  name: string;
  kind: string;
}
interface Directory {
  contacts: Contact[];
  agents: Agent[];
}

interface Task {
  id: string;
  agent_id: string;
  agent_name: string | null;
  task_type: string | null;
  status: "pending" | "in_progress" | "completed" | "failed";
  error: string | null;
  created_at: Timestamp;
  started_at: Timestamp | null;
  completed_at: Timestamp | null;
}
interface Draft {
  id: string;
  agent_id: string;
  task_id: string | null;
  subject: string | null;
  body: string | null;
  status: "draft" | "approved" | "sent" | "rejected";
  created_at: Timestamp;
  updated_at: Timestamp;
}
interface Followup {
  id: string;
  agent_id: string;
  scheduled_for: Timestamp;
  status: "scheduled" | "done" | "cancelled";
  note: string | null;
}
interface Activity {
  id: string;
  agent_id: string | null;
  task_id: string | null;
  action: string;
  details: Record<string, unknown> | null;
  created_at: Timestamp;
}
interface ContactDetails {
  contact: Contact;
  tasks: Task[];
  drafts: Draft[];
  followups: Followup[];
  activity: Activity[];
}

/** One browser that is told; never its endpoint or keys. */
interface Subscription {
  id: string;
  name: string;
  endpoint_hash: string;
  vapid_public_key: string;
  created_at: Timestamp;
  seen_at: Timestamp | null;
  last_accepted_at: Timestamp | null;
  last_shown_at: Timestamp | null;
  verified_at: Timestamp | null;
  retired_at: Timestamp | null;
  retired_reason: string | null;
}
type Kind = "draft_ready" | "completed" | "failed" | "followup_due";
interface Preferences {
  kinds: Record<Kind, boolean>;
  agents: Record<string, boolean>;
  muted_contacts: string[];
  quiet_hours: { from: string; until: string } | null;
  time_zone: string;
  language: string;
  digest: boolean;
}
/** A JSON Merge Patch (RFC 7396): what is left out stays, null is the way back to the default. */
interface PreferencesChange {
  kinds?: Partial<Record<Kind, boolean | null>>;
  agents?: Record<string, boolean | null>;
  muted_contacts?: string[] | null;
  quiet_hours?: { from?: string; until?: string } | null;
  time_zone?: string | null;
  language?: string | null;
  digest?: boolean | null;
}

/** Hands out the user's access token; nothing where nobody is signed in. */
type TokenSource = () => string | null | undefined | Promise<string | null | undefined>;

/** Tokens of a Supabase session, with the local clock's end of the access token. */
interface StoredSession {
  access_token: string;
  refresh_token: string;
  expires_at_ms: number;
}

type PushState = "unknown" | "unsupported" | "install" | "denied" | "off" | "subscribing" | "on" | "unreachable" | "broken";
/** How this browser hears about changes while the page is open. */
interface Updates {
  state: "starting" | "live" | "polling" | "offline";
  everySeconds: number;
  retryAtMs: number | null;
  reason: string | null;
}

/** What one tab tells the others. */
type TabMessage =
  | { type: "inbox"; user: string; inbox: Inbox; reset: boolean }
  | { type: "updates"; updates: Updates }
  | { type: "ask" } // a new tab: send what you have
  | { type: "refresh" } // something changed: the leader looks now
  | { type: "touched"; contact: string | null } // details of a contact, or the directory, changed
  | { type: "reload" }; // someone signed in or out

/** What the worker tells the pages. */
type WorkerMessage =
  | { type: "push"; contact: string | null; event: number | null; kind: string }
  | { type: "show"; contact: string | null; url: string }
  | { type: "subscription" }
  | { type: "shell" };

/** `notification.data` of the payload, and what the worker adds for its own handlers. */
interface NoteData {
  event_id: number | null;
  kind: string;
  task_id?: string | null;
  contact_id: string | null;
  agent_id: string | null;
  contact_name?: string | null;
  agent_name?: string | null;
  occurred_at?: Timestamp | null;
  delivery?: string | null;
  receipt?: string | null;
  sticky?: boolean;
  navigate: string;
  lang: string;
}
/** A notification ready to be shown. */
interface Note {
  title: string;
  body: string;
  tag: string;
  lang: string;
  silent: boolean;
  badge: number | null;
  data: NoteData;
}
interface Receipt {
  token: string;
  event: "shown" | "clicked" | "closed";
  at: Timestamp;
}

interface Navigator {
  setAppBadge?(count?: number): Promise<void>;
  clearAppBadge?(): Promise<void>;
}
interface WorkerNavigator {
  setAppBadge?(count?: number): Promise<void>;
  clearAppBadge?(): Promise<void>;
}
