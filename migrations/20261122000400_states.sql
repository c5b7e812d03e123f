-- What a person sees: one inbox each, and in it the state of each contact for each agent.

-- One row a person. Whoever changes anything of theirs holds this row's lock, and raises its version if the
-- inbox shows the change: an ETag that cannot miss a late commit. Everything kept for a person hangs from
-- here.
create table taskbell.inboxes (
  user_id uuid primary key references auth.users (id) on delete cascade,
  version bigint not null default 0
) with (fillfactor = 50);

-- The newest known state of each task for each of its recipients. No contact or no agent is ''.
create table taskbell.task_states (
  task_id text not null,
  user_id uuid not null references taskbell.inboxes (user_id) on delete cascade,
  contact_id text not null default '',
  agent_id text not null default '',
  status text not null
  constraint task_states_status check (
    status in ('pending', 'in_progress', 'draft_ready', 'completed', 'failed')
  ),
  reason text,
  agent_name text,
  event_id bigint not null,
  -- The event by which the task came to this status, contact and agent; later ones changed something else.
  reached_event_id bigint not null,
  reached_at timestamptz not null,
  primary key (task_id, user_id)
) with (fillfactor = 80);

create index task_states_of_contact on taskbell.task_states (user_id, contact_id, agent_id, event_id desc);

-- For each person, contact and agent the task state with the highest event id.
create table taskbell.contact_states (
  user_id uuid not null references taskbell.inboxes (user_id) on delete cascade,
  contact_id text not null,
  agent_id text not null default '',
  task_id text not null,
  status text not null
  constraint contact_states_status check (
    status in ('pending', 'in_progress', 'draft_ready', 'completed', 'failed')
  ),
  reason text,
  agent_name text,
  event_id bigint not null,
  ready_at timestamptz,
  changed_at timestamptz not null,
  seen_at timestamptz,
  -- What the person has seen ends with this event.
  seen_event_id bigint not null default 0,
  unseen boolean not null default false,
  primary key (user_id, contact_id, agent_id)
) with (fillfactor = 80);

create index contact_states_unseen on taskbell.contact_states (user_id) where unseen;

alter table taskbell.inboxes enable row level security;
alter table taskbell.task_states enable row level security;
alter table taskbell.contact_states enable row level security;
revoke all on taskbell.inboxes, taskbell.task_states, taskbell.contact_states
from public, anon, authenticated;
grant select on taskbell.inboxes, taskbell.task_states, taskbell.contact_states
to authenticated, service_role;

create policy "own inbox" on taskbell.inboxes
for select to authenticated using (user_id = (select auth.uid()));
create policy "own task states" on taskbell.task_states
for select to authenticated using (user_id = (select auth.uid()));
create policy "own contact states" on taskbell.contact_states
for select to authenticated using (user_id = (select auth.uid()));
