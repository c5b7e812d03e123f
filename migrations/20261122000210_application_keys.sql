-- Foreign keys, each with its index, between those of the application's tables that are ours.
do $$
declare
  v_key record;
begin
  for v_key in
    select
      k.child, k.child_column, k.parent, k.on_delete
    from (values
      ('contacts', 'user_id', 'auth.users', 'cascade'),
      ('agents', 'user_id', 'auth.users', 'cascade'),
      ('agent_tasks', 'user_id', 'auth.users', 'cascade'),
      ('agent_tasks', 'agent_id', 'public.agents', 'set null'),
      ('agent_outreach_drafts', 'user_id', 'auth.users', 'cascade'),
      ('agent_outreach_drafts', 'contact_id', 'public.contacts', 'cascade'),
      ('agent_outreach_drafts', 'agent_id', 'public.agents', 'set null'),
      ('agent_outreach_drafts', 'task_id', 'public.agent_tasks', 'set null'),
      ('agent_followup_schedule', 'user_id', 'auth.users', 'cascade'),
      ('agent_followup_schedule', 'contact_id', 'public.contacts', 'cascade'),
      ('agent_followup_schedule', 'agent_id', 'public.agents', 'set null'),
      ('agent_activity_log', 'user_id', 'auth.users', 'cascade'),
      ('agent_activity_log', 'contact_id', 'public.contacts', 'cascade'),
      ('agent_activity_log', 'agent_id', 'public.agents', 'set null'),
      ('agent_activity_log', 'task_id', 'public.agent_tasks', 'set null')
    ) as k (child, child_column, parent, on_delete)
    join taskbell.application_tables c on c.table_name = k.child and c.ours
    where k.parent = 'auth.users'
      or exists (
        select from taskbell.application_tables p where 'public.' || p.table_name = k.parent and p.ours
      )
  loop
    execute format(
      'alter table public.%1$I add constraint %1$s_%2$s_fkey '
      'foreign key (%2$I) references %3$s (id) on delete %4$s',
      v_key.child, v_key.child_column, v_key.parent, v_key.on_delete
    );
    execute format(
      'create index %1$s_%2$s_idx on public.%1$I (%2$I)', v_key.child, v_key.child_column
    );
  end loop;

  -- Finds the schedules that have fallen due without reading those that are done.
  if (select ours from taskbell.application_tables where table_name = 'agent_followup_schedule') then
    create index agent_followup_schedule_due_idx
    on public.agent_followup_schedule (scheduled_for) where status = 'scheduled';
  end if;
end
$$;

-- Plain `update … set status = …` is enough of an agent: the times follow.
create function taskbell.stamp() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.updated_at is not distinct from old.updated_at then
    new.updated_at := now();
  end if;
  return new;
end
$$;

create function taskbell.stamp_task() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.updated_at is not distinct from old.updated_at then
    new.updated_at := now();
  end if;
  if new.status is distinct from old.status then
    if new.status = 'pending' then
      new.started_at := null;
      new.completed_at := null;
    elsif new.status = 'in_progress' and new.started_at is not distinct from old.started_at then
      new.started_at := now();
      new.completed_at := null;
    elsif new.status not in ('pending', 'in_progress')
      and new.completed_at is not distinct from old.completed_at
    then
      new.completed_at := now();
    end if;
  end if;
  return new;
end
$$;
revoke execute on function taskbell.stamp() from public, anon, authenticated;
revoke execute on function taskbell.stamp_task() from public, anon, authenticated;

do $$
declare
  v_table text;
begin
  for v_table in
    select table_name from taskbell.application_tables
    where ours and table_name not in ('agents', 'agent_activity_log')
  loop
    execute format(
      'create trigger taskbell_stamp before update on public.%I for each row execute function taskbell.%I()',
      v_table, case v_table when 'agent_tasks' then 'stamp_task' else 'stamp' end
    );
  end loop;
end
$$;
