-- Apply: every decision of a batch in one call, which may be made twice, late, or by two dispatchers at once.

-- Stores the states that were decided. p_event_ids: the events that count, of tasks that are locked; a
-- recipient they no longer name loses the task.
create function taskbell.store_states(p_event_ids bigint[], p_verdicts taskbell.verdict[], p_now timestamptz)
returns void
language plpgsql set search_path = ''
as $$
declare
  v_task_ids text[] := array(select e.task_id from taskbell.task_events e where e.id = any (p_event_ids));
  v_keys taskbell.contact_key[] := array(
    select (s.user_id, s.contact_id, s.agent_id)::taskbell.contact_key
    from taskbell.task_states s
    where s.task_id = any (v_task_ids) and s.contact_id <> ''
    union
    select (v.user_id, v.contact_id, v.agent_id)::taskbell.contact_key
    from unnest(p_verdicts) v
    where v.status is not null and v.contact_id <> ''
  );
  v_lost boolean;
begin
  with lost as (
    delete from taskbell.task_states s
    where s.task_id = any (v_task_ids)
      and not exists (
        select from unnest(p_verdicts) v
        where v.task_id = s.task_id and v.user_id = s.user_id and v.status is not null
      )
    returning s.user_id
  )
  select count(*) > 0 into v_lost from lost;

  insert into taskbell.task_states as s (
    task_id, user_id, contact_id, agent_id, status, reason, agent_name, event_id, reached_event_id, reached_at
  )
  select
    v.task_id, v.user_id, v.contact_id, v.agent_id, v.status, v.reason, v.agent_name, v.event_id,
    case when v.same then o.reached_event_id else v.event_id end,
    case when v.same then o.reached_at else v.occurred_at end
  from unnest(p_verdicts) v
  left join lateral (
    select * from taskbell.task_states x where x.task_id = v.task_id and x.user_id = v.user_id offset 0
  ) o on true
  where v.status is not null
  on conflict (task_id, user_id) do update set
    contact_id = excluded.contact_id,
    agent_id = excluded.agent_id,
    status = excluded.status,
    reason = excluded.reason,
    agent_name = excluded.agent_name,
    event_id = excluded.event_id,
    reached_event_id = excluded.reached_event_id,
    reached_at = excluded.reached_at;

  perform taskbell.recompute_contact_states(v_keys);

  -- Nothing more is sent about a task to those who lost it, or of whom it keeps no state.
  if v_lost or exists (select from unnest(p_verdicts) v where v.status is null) then
    perform taskbell.end_unsent(
      array(
        select n.id
        from taskbell.notifications n
        where n.task_id = any (v_task_ids)
          and not exists (
            select from taskbell.task_states s where s.task_id = n.task_id and s.user_id = n.user_id
          )
      ),
      'cancelled', 'task_gone', p_now
    );
  end if;
end
$$;

create function public.taskbell_apply(
  p_decisions jsonb, p_lease_seconds int default 60, p_now timestamptz default now()
)
returns json
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_open bigint[];
  v_dead bigint[];
  v_won bigint[];
  v_verdicts taskbell.verdict[];
  v_told bigint[];
  v_changed uuid[];
  v_made record;
begin
  v_open := taskbell.lock_due_events(
    array(select d.event_id from jsonb_to_recordset(p_decisions) as d (event_id bigint))
  );
  with dead as (
    update taskbell.task_events e set state = 'dead', reason = d.dead, finished_at = p_now
    from jsonb_to_recordset(p_decisions) as d (event_id bigint, dead text)
    where d.dead is not null and e.id = d.event_id and e.id = any (v_open)
    returning e.id
  )
  select coalesce(array_agg(id), '{}') into v_dead from dead;
  v_open := array(select u.id from unnest(v_open) as u (id) where u.id <> all (v_dead));

  v_won := taskbell.lock_tasks(v_open, p_now);
  v_verdicts := taskbell.compared(taskbell.verdicts(p_decisions, v_won));
  v_changed := array(
    select v.user_id from unnest(v_verdicts) v where v.status is not null
    union
    select s.user_id
    from taskbell.task_events e
    cross join lateral (select x.user_id from taskbell.task_states x where x.task_id = e.task_id offset 0) s
    where e.id = any (v_won)
  );
  perform taskbell.raise_inboxes(
    v_changed, array(select v.user_id from unnest(v_verdicts) v where v.status is null)
  );

  perform taskbell.store_states(v_won, v_verdicts, p_now);
  select * into v_made from taskbell.make_notifications(
    v_verdicts, p_now + make_interval(secs => p_lease_seconds), p_now
  );

  v_told := array(select v.event_id from unnest(v_verdicts) v);
  update taskbell.task_events e set
    state = 'done',
    reason = case
      when e.id <> all (v_won) then 'superseded'
      when e.id <> all (v_told) then 'no_recipient'
    end,
    finished_at = p_now
  where e.id = any (v_open);
  perform taskbell.publish_inboxes(v_changed);

  return json_build_object(
    'deliveries', taskbell.deliveries_json(v_made.p_to_send),
    'applied', cardinality(v_won),
    'superseded', cardinality(v_open) - cardinality(v_won),
    'notified', v_made.p_notified
  );
end
$$;

revoke execute on function taskbell.store_states(bigint[], taskbell.verdict[], timestamptz)
from public, anon, authenticated;
revoke execute on function public.taskbell_apply(jsonb, int, timestamptz) from public, anon, authenticated;
grant execute on function public.taskbell_apply(jsonb, int, timestamptz) to service_role;
