-- The application's tables, for a project that does not have them yet. One that has keeps its own, untouched:
-- indexes, foreign keys, triggers and policies are added to tables of ours only.
create table if not exists public.contacts (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  name text not null,
  email text,
  company text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- An agent without a user is everyone's.
create table if not exists public.agents (
  id uuid primary key default gen_random_uuid(),
  user_id uuid,
  kind text not null,
  name text not null,
  created_at timestamptz not null default now()
);

-- input_data names the contact: {"contactId": "…"} or {"contact_id": "…"}.
create table if not exists public.agent_tasks (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  agent_id uuid,
  task_type text not null default 'outreach',
  status text not null default 'pending'
  constraint agent_tasks_status check (status in ('pending', 'in_progress', 'completed', 'failed')),
  input_data jsonb not null default '{}',
  output_data jsonb,
  error_message text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  updated_at timestamptz not null default now()
);

create table if not exists public.agent_outreach_drafts (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  contact_id uuid not null,
  agent_id uuid,
  task_id uuid,
  subject text not null default '',
  body text not null default '',
  status text not null default 'draft'
  constraint agent_outreach_drafts_status check (status in ('draft', 'approved', 'sent', 'rejected')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table if not exists public.agent_followup_schedule (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  contact_id uuid not null,
  agent_id uuid,
  scheduled_for timestamptz not null,
  status text not null default 'scheduled'
  constraint agent_followup_schedule_status check (status in ('scheduled', 'done', 'cancelled')),
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table if not exists public.agent_activity_log (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  contact_id uuid,
  agent_id uuid,
  task_id uuid,
  action text not null,
  details jsonb not null default '{}',
  created_at timestamptz not null default now()
);
