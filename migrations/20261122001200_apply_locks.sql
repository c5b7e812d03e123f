-- Apply, first part: whose turn is it. Locks are always taken in one order, and within each kind in the
-- order of its keys: events, tasks, inboxes, deliveries, subscriptions. So two dispatchers may wait for
-- each other, never both.

-- The events among these that are still to be finished, locked.
create function taskbell.lock_due_events(p_event_ids bigint[])
returns bigint[]
language plpgsql set search_path = ''
as $$
declare
  v_ids bigint[];
begin
  with locked as materialized (
    select e.id
    from taskbell.task_events e
    where e.id = any (p_event_ids) and e.state = 'due'
    order by e.id
    for update
  )
  select coalesce(array_agg(id), '{}') into v_ids from locked;
  return v_ids;
end
$$;

-- Locks the tasks of these events, and returns the events that count: of each task the newest one, if it is
-- newer than what was applied before. The rest came too late, and change nothing. What counts is noted at
-- once, in the row whose lock is taken: whoever waits for it finds that.
create function taskbell.lock_tasks(p_event_ids bigint[], p_now timestamptz default now())
returns bigint[]
language plpgsql set search_path = ''
as $$
declare
  v_ids bigint[];
begin
  with newest as materialized (
    select distinct on (e.task_id)
      e.task_id, e.id,
      -- A follow-up is no task that could still change: what is remembered of it may go.
      e.operation = 'DELETE' or e.source = 'schedule' as gone
    from taskbell.task_events e
    where e.id = any (p_event_ids)
    order by e.task_id, e.id desc
  ),
  won as (
    insert into taskbell.tasks as t (task_id, event_id, gone, applied_at)
    select n.task_id, n.id, n.gone, p_now from newest n order by n.task_id
    on conflict (task_id) do update set
      event_id = excluded.event_id, gone = excluded.gone, applied_at = excluded.applied_at
    where t.event_id < excluded.event_id
    returning t.event_id
  )
  select coalesce(array_agg(event_id), '{}') into v_ids from won;
  return v_ids;
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
    and not exists (select from taskbell.inboxes i where i.user_id = u.id offset 0)
  order by u.id
  on conflict (user_id) do nothing;

  perform from taskbell.inboxes i where i.user_id = any (p_user_ids) order by i.user_id for no key update;
end
$$;

-- Locks the inboxes of these people, made where they had none, and raises the versions of those whose inbox
-- shows a change; ids that are nobody's are left out.
create function taskbell.raise_inboxes(p_changed uuid[], p_unchanged uuid[])
returns void
language plpgsql set search_path = ''
as $$
begin
  insert into taskbell.inboxes as i (user_id, version)
  select u.id, p.raised
  from (
    select x.id, max(x.raised) as raised
    from (
      select c.id, 1 as raised from unnest(p_changed) as c (id)
      union all
      select c.id, 0 from unnest(p_unchanged) as c (id)
    ) x
    group by x.id
  ) p
  cross join lateral (select x.id from auth.users x where x.id = p.id offset 0) u
  order by u.id
  on conflict (user_id) do update set version = i.version + excluded.version;
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
    begin
      -- What realtime.send does, for many at once: each call of it is a subtransaction of its own, and more
      -- than 64 of them in a transaction slow down everybody's look at every row.
      insert into realtime.messages (payload, event, topic, private, extension)
      select jsonb_build_object('version', i.version), 'inbox', 'user:' || i.user_id::text, true, 'broadcast'
      from taskbell.inboxes i
      where i.user_id = any (p_user_ids);
    exception
      when undefined_column or insufficient_privilege or not_null_violation then
        -- Its table is no longer what it was; the function will know.
        perform realtime.send(
          jsonb_build_object('version', i.version), 'inbox', 'user:' || i.user_id::text, true
        )
        from taskbell.inboxes i
        where i.user_id = any (p_user_ids);
    end;
  exception
    when others then
      raise warning 'taskbell: no live update was sent (%); pages that poll will see the change', sqlstate;
  end;
end
$$;

revoke execute on function taskbell.lock_due_events(bigint[]) from public, anon, authenticated;
revoke execute on function taskbell.lock_tasks(bigint[], timestamptz) from public, anon, authenticated;
revoke execute on function taskbell.lock_inboxes(uuid[]) from public, anon, authenticated;
revoke execute on function taskbell.raise_inboxes(uuid[], uuid[]) from public, anon, authenticated;
revoke execute on function taskbell.publish_inboxes(uuid[]) from public, anon, authenticated;
