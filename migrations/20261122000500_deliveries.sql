-- Who is told: browsers that subscribed, notifications, and each notification's way to each browser.

-- RFC 8030 subscriptions, with the keys of RFC 8291. Only the service role reads them.
create table taskbell.subscriptions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  endpoint text not null,
  endpoint_hash text not null unique,
  origin text not null,
  p256dh text not null,
  auth text not null,
  vapid_public_key text not null,
  name text not null default '',
  user_agent text,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  last_accepted_at timestamptz,
  last_shown_at timestamptz,
  verified_at timestamptz,
  retired_at timestamptz,
  retired_reason text
) with (fillfactor = 80);

create index subscriptions_of_user on taskbell.subscriptions (user_id);

-- Push services that refuse our credentials (401, 403) and are left alone for a while.
create table taskbell.push_services (
  origin text primary key,
  blocked_until timestamptz not null,
  reason text not null,
  since timestamptz not null
);

create table taskbell.notifications (
  id bigint generated always as identity primary key,
  user_id uuid not null references taskbell.inboxes (user_id) on delete cascade,
  event_id bigint,
  task_id text,
  contact_id text,
  agent_id text,
  kind text not null,
  title text not null,
  body text not null default '',
  lang text not null default 'en',
  url text not null,
  tag text not null,
  topic text not null,
  urgency text not null default 'normal'
  constraint notifications_urgency check (urgency in ('very-low', 'low', 'normal', 'high')),
  ttl_seconds int not null constraint notifications_ttl check (ttl_seconds >= 0),
  sticky boolean not null default false,
  contact_name text,
  agent_name text,
  held boolean not null default false,
  created_at timestamptz not null default now(),
  cancelled_at timestamptz,
  unique (event_id, user_id)
);

create index notifications_of_user on taskbell.notifications (user_id, created_at);
create index notifications_of_tag on taskbell.notifications (user_id, tag, event_id);
create index notifications_of_task on taskbell.notifications (task_id);
create index notifications_created on taskbell.notifications (created_at);

create table taskbell.deliveries (
  id bigint generated always as identity primary key,
  notification_id bigint not null references taskbell.notifications (id) on delete cascade,
  subscription_id uuid not null references taskbell.subscriptions (id) on delete cascade,
  -- due → accepted | gone | rejected | expired | cancelled | superseded
  state text not null default 'due'
  constraint deliveries_state check (
    state in ('due', 'accepted', 'gone', 'rejected', 'expired', 'cancelled', 'superseded')
  ),
  attempts int not null default 0,
  -- Leases are numbered apart from tries, which may be taken back: an outcome belongs to one lease.
  lease int not null default 0,
  -- A lease pushes this into the future, and so does a retry or a held notification.
  due_at timestamptz not null,
  expires_at timestamptz not null,
  status_code int,
  reason text,
  accepted_at timestamptz,
  latency_ms int,
  shown_at timestamptz,
  clicked_at timestamptz,
  closed_at timestamptz,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (notification_id, subscription_id)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

create index deliveries_due on taskbell.deliveries (due_at, id) where state = 'due';
-- With the state, what a browser is still to be sent is found beside whatever it has ever been sent.
create index deliveries_of_subscription on taskbell.deliveries (subscription_id, state);
create index deliveries_accepted on taskbell.deliveries (accepted_at) where state = 'accepted';
create index deliveries_dead on taskbell.deliveries (id) where state in ('rejected', 'expired');

-- Absent means every default. kinds and agents hold only what a person has switched off or on.
create table taskbell.preferences (
  user_id uuid primary key references auth.users (id) on delete cascade,
  kinds jsonb not null default '{}',
  agents jsonb not null default '{}',
  muted_contacts text[] not null default '{}',
  quiet_from time,
  quiet_until time,
  time_zone text not null default 'UTC',
  language text not null default 'en',
  digest boolean not null default true,
  updated_at timestamptz not null default now(),
  constraint preferences_quiet_hours check ((quiet_from is null) = (quiet_until is null))
);

alter table taskbell.subscriptions enable row level security;
alter table taskbell.push_services enable row level security;
alter table taskbell.notifications enable row level security;
alter table taskbell.deliveries enable row level security;
alter table taskbell.preferences enable row level security;
revoke all on taskbell.subscriptions, taskbell.push_services, taskbell.notifications, taskbell.deliveries,
taskbell.preferences from public, anon, authenticated;
grant select on taskbell.subscriptions, taskbell.push_services, taskbell.notifications, taskbell.deliveries,
taskbell.preferences to service_role;
