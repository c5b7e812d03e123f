-- Follow-ups that have fallen due become events, and from there on go the way of every other event.

-- Which schedule was raised for which time: once each, and again if it is put off. Nothing is raised that
-- fell due more than a week ago, so this is forgotten after a month, with the event.
create table taskbell.raised_followups (
  followup_id text primary key,
  scheduled_for timestamptz not null
);
create index raised_followups_scheduled_for on taskbell.raised_followups (scheduled_for);
alter table taskbell.raised_followups enable row level security;
revoke all on taskbell.raised_followups from public, anon, authenticated;
grant select on taskbell.raised_followups to service_role;

-- Makes an event of each follow-up that fell due within the last week, at most p_limit of them; returns how
-- many. The clock asks (taskbell.wake_if_due). The event's record is that of a task with the status
-- followup_due, so that taskbell.describe_task reads it like any other. Where the schedule's table is not
-- ours and has other columns, nothing is raised.
create function taskbell.raise_due_followups(p_now timestamptz default now(), p_limit int default 500)
returns int
language plpgsql security definer set search_path = ''
as $$
declare
  v_raised int;
begin
  with due as materialized (
    select f.id::text as id, f.user_id, f.contact_id, f.agent_id, f.scheduled_for, f.note
    from public.agent_followup_schedule f
    where f.status = 'scheduled'
      and f.scheduled_for <= p_now
      and f.scheduled_for > p_now - interval '7 days'
      and not exists (
        select from taskbell.raised_followups r
        where r.followup_id = f.id::text and r.scheduled_for = f.scheduled_for
      )
    order by f.scheduled_for
    limit p_limit
    for update of f skip locked
  ),
  raised as (
    insert into taskbell.raised_followups as r (followup_id, scheduled_for)
    select due.id, due.scheduled_for from due
    on conflict (followup_id) do update set scheduled_for = excluded.scheduled_for
    returning r.followup_id
  ),
  events as (
    insert into taskbell.task_events (task_id, operation, record, source)
    select
      left('followup:' || due.id, 200),
      'INSERT',
      jsonb_build_object(
        'id', 'followup:' || due.id,
        'user_id', due.user_id,
        'agent_id', due.agent_id,
        'status', 'followup_due',
        'input_data', jsonb_build_object('contactId', due.contact_id::text),
        'error_message', due.note,
        'updated_at', due.scheduled_for
      ),
      'schedule'
    from due
    join raised on raised.followup_id = due.id
    order by due.scheduled_for
    returning id
  )
  select count(*) into v_raised from events;
  return v_raised;
exception
  when undefined_table or undefined_column or undefined_function then
    return 0;
end
$$;
revoke execute on function taskbell.raise_due_followups(timestamptz, int) from public, anon, authenticated;
