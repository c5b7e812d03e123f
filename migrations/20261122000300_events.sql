-- The outbox: every change of a task that was committed, as the raw row it left behind.

-- The tables we capture; taskbell.watch() adds to them. A change in an ignored column alone is no change to
-- us.
create table taskbell.sources (
  schema_name text not null,
  table_name text not null,
  ignored_columns text[] not null default '{}',
  primary key (schema_name, table_name)
);

create table taskbell.task_events (
  id bigint generated always as identity primary key,
  task_id text not null,
  operation text not null
  constraint task_events_operation check (operation in ('INSERT', 'UPDATE', 'DELETE')),
  record jsonb not null,
  source text not null default 'trigger'
  constraint task_events_source check (source in ('trigger', 'webhook', 'schedule')),
  occurred_at timestamptz not null default clock_timestamp(),
  -- due → done: applied, superseded, or of interest to nobody; due → dead: needs an operator, may be sent
  -- again.
  state text not null default 'due' constraint task_events_state check (state in ('due', 'done', 'dead')),
  -- A new event is due at once, whatever the clock of whoever claims it says. A lease pushes this into the
  -- future.
  due_at timestamptz not null default 'epoch',
  attempts int not null default 0,
  reason text,
  finished_at timestamptz
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

create index task_events_due on taskbell.task_events (due_at, id) where state = 'due';
create index task_events_dead on taskbell.task_events (id) where state = 'dead';
create index task_events_of_task on taskbell.task_events (task_id, id);
create index task_events_finished on taskbell.task_events (finished_at) where state <> 'due';

-- The newest event applied for each task. Its row is the lock that serialises the events of one task, and
-- what an event that comes late is measured against; it outlives the task, so that nothing late brings a
-- deleted task back.
create table taskbell.tasks (
  task_id text primary key,
  event_id bigint not null,
  gone boolean not null default false,
  applied_at timestamptz not null default now()
) with (fillfactor = 90);

create index tasks_gone on taskbell.tasks (applied_at) where gone;

alter table taskbell.sources enable row level security;
alter table taskbell.task_events enable row level security;
alter table taskbell.tasks enable row level security;
revoke all on taskbell.sources, taskbell.task_events, taskbell.tasks from public, anon, authenticated;
grant select on taskbell.sources, taskbell.task_events, taskbell.tasks to service_role;
