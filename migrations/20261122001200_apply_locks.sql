-- Apply, first part: whose turn is it. Locks are always taken in one order, and within each kind in the
-- order of its keys: events, tasks, inboxes, deliveries, subscriptions. So two dispatchers may wait for
-- each other, never both.

-- The events among these that are still to be finished, locked.
create function taskbell.lock_due_events(p_event_ids bigint[])
returns bigint[]
language sql set search_path = ''
as $$
  with locked as materialized (
    select e.id
    from taskbell.task_events e
    where e.id = any (p_event_ids) and e.state = 'due'
    order by e.id
    for update
  )
  select coalesce(array_agg(id), '{}') from locked
$$;

-- Locks the tasks of these events, and returns the events that count: of each task the newest one, if it is
-- newer than what was applied before. The rest came too late, and change nothing.
create function taskbell.lock_tasks(p_event_ids bigint[])
returns bigint[]
language plpgsql set search_path = ''
as $$
declare
  v_task_ids text[] := array(
    select distinct e.task_id from taskbell.task_events e where e.id = any (p_event_ids) order by e.task_id
  );
begin
  insert into taskbell.tasks (task_id, event_id)
  select u.id, 0 from unnest(v_task_ids) with ordinality as u (id, place) order by u.place
  on conflict (task_id) do nothing;

  perform from taskbell.tasks t where t.task_id = any (v_task_ids) order by t.task_id for update;

  return array(
    select max(e.id)
    from taskbell.task_events e
    join taskbell.tasks t on t.task_id = e.task_id
    where e.id = any (p_event_ids)
    group by e.task_id, t.event_id
    having max(e.id) > t.event_id
  );
end
$$;

-- Locks the inboxes of these people, made where they had none; ids that are nobody's are left out.
create function taskbell.lock_inboxes(p_user_ids uuid[])
returns void
language plpgsql set search_path = ''
as $$
begin
  insert into taskbell.inboxes (user_id)
  select u.id from auth.users u
  where u.id = any (p_user_ids)
    and not exists (select from taskbell.inboxes i where i.user_id = u.id)
  order by u.id
  on conflict (user_id) do nothing;

  perform from taskbell.inboxes i where i.user_id = any (p_user_ids) order by i.user_id for no key update;
end
$$;

-- Tells whoever waits that these people's inboxes changed: the held polls (one NOTIFY for many people,
-- since it serialises commits) and each person's live channel. Best effort; polling finds the change all
-- the same.
create function taskbell.publish_inboxes(p_user_ids uuid[])
returns void
language plpgsql set search_path = ''
as $$
begin
  -- A NOTIFY carries less than 8,000 bytes: 200 ids in quotes.
  perform pg_notify('taskbell_inbox', page.ids::text)
  from (
    select jsonb_agg(u.id) as ids
    from unnest(p_user_ids) with ordinality as u (id, place)
    group by (u.place - 1) / 190
  ) as page;

  begin
    perform realtime.send(jsonb_build_object('version', i.version), 'inbox', 'user:' || i.user_id::text, true)
    from taskbell.inboxes i
    where i.user_id = any (p_user_ids);
  exception
    when others then
      raise warning 'taskbell: no live update was sent (%); pages that poll will see the change', sqlstate;
  end;
end
$$;

revoke execute on function taskbell.lock_due_events(bigint[]) from public, anon, authenticated;
revoke execute on function taskbell.lock_tasks(bigint[]) from public, anon, authenticated;
revoke execute on function taskbell.lock_inboxes(uuid[]) from public, anon, authenticated;
revoke execute on function taskbell.publish_inboxes(uuid[]) from public, anon, authenticated;
