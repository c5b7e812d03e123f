-- For whoever runs it: what is going on, what died, and what became of one task.

create function public.taskbell_status(p_now timestamptz default now())
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'events', jsonb_build_object(
      'due', (select count(*) from taskbell.task_events where state = 'due'),
      'dead', (select count(*) from taskbell.task_events where state = 'dead'),
      'oldest_due_seconds', (
        select greatest(extract(epoch from p_now - min(occurred_at)), 0)
        from taskbell.task_events
        where state = 'due'
        having count(*) > 0
      )
    ),
    'deliveries', jsonb_build_object(
      'due', (select count(*) from taskbell.deliveries where state = 'due'),
      'accepted_24h', (
        select count(*) from taskbell.deliveries
        where state = 'accepted' and accepted_at > p_now - interval '24 hours'
      ),
      'dead', (select count(*) from taskbell.deliveries where state in ('rejected', 'expired'))
    ),
    'blocked_push_services', (
      select coalesce(jsonb_agg(to_jsonb(b) order by b.since), '[]')
      from taskbell.push_services b
      where b.blocked_until > p_now
    ),
    'subscriptions', (
      select jsonb_build_object(
        'live', count(*) filter (where retired_at is null),
        'retired', count(*) filter (where retired_at is not null)
      )
      from taskbell.subscriptions
    )
  )
$$;

-- The newest dead letters, without what they say.
create function public.taskbell_dead_letters(p_limit int default 100)
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'events', (
      select coalesce(jsonb_agg(to_jsonb(x) order by x.id desc), '[]')
      from (
        select id, task_id, operation, reason, attempts, occurred_at, finished_at
        from taskbell.task_events
        where state = 'dead'
        order by id desc
        limit p_limit
      ) x
    ),
    'deliveries', (
      select coalesce(jsonb_agg(to_jsonb(x) order by x.id desc), '[]')
      from (
        select
          d.id, d.notification_id, n.task_id, n.kind, s.origin, d.state, d.status_code, d.reason, d.attempts,
          d.created_at, d.finished_at
        from taskbell.deliveries d
        join taskbell.notifications n on n.id = d.notification_id
        join taskbell.subscriptions s on s.id = d.subscription_id
        where d.state in ('rejected', 'expired')
        order by d.id desc
        limit p_limit
      ) x
    )
  )
$$;

-- Makes dead letters due again, as if they were new; returns how many. What can no longer be wanted ends
-- here: an event whose task has gone on since; a delivery in whose place a newer notification stands, whose
-- task is gone, or whose browser is.
create function public.taskbell_resend(
  p_event_ids bigint[] default '{}', p_delivery_ids bigint[] default '{}', p_now timestamptz default now()
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_events int;
  v_deliveries int;
begin
  with dead as materialized (
    select
      e.id,
      exists (select from taskbell.tasks t where t.task_id = e.task_id and t.event_id > e.id) as overtaken
    from taskbell.task_events e
    where e.id = any (p_event_ids) and e.state = 'dead'
    order by e.id
    for update
  ),
  again as (
    update taskbell.task_events e set
      state = case when dead.overtaken then 'done' else 'due' end,
      due_at = 'epoch',
      attempts = 0,
      reason = case when dead.overtaken then 'superseded' end,
      finished_at = case when dead.overtaken then p_now end
    from dead
    where e.id = dead.id
    returning e.state
  )
  select count(*) filter (where state = 'due') into v_events from again;

  with dead as materialized (
    select
      d.id, n.ttl_seconds,
      case
        when s.retired_at is not null then 'gone'
        when n.cancelled_at is not null then 'cancelled'
        when exists (
          select from taskbell.notifications o
          where o.user_id = n.user_id and o.tag = n.tag and o.event_id > n.event_id
        ) then 'superseded'
        else 'due'
      end as state
    from taskbell.deliveries d
    join taskbell.notifications n on n.id = d.notification_id
    join taskbell.subscriptions s on s.id = d.subscription_id
    where d.id = any (p_delivery_ids) and d.state in ('rejected', 'expired')
    order by d.id
    for update of d
  ),
  again as (
    update taskbell.deliveries d set
      state = dead.state,
      due_at = p_now,
      attempts = 0,
      status_code = null,
      reason = case when dead.state <> 'due' then 'not_wanted_any_more' end,
      finished_at = case when dead.state <> 'due' then p_now end,
      expires_at = p_now + make_interval(secs => greatest(dead.ttl_seconds, 60))
    from dead
    where d.id = dead.id
    returning d.state
  )
  select count(*) filter (where state = 'due') into v_deliveries from again;
  return jsonb_build_object('events', v_events, 'deliveries', v_deliveries);
end
$$;

create function public.taskbell_trace(p_task_id text)
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'events', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'id', e.id, 'operation', e.operation, 'status', e.record ->> 'status', 'state', e.state,
            'reason', e.reason, 'occurred_at', e.occurred_at
          )
          order by e.id
        ),
        '[]'
      )
      from taskbell.task_events e
      where e.task_id = p_task_id
    ),
    'notifications', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'user_id', n.user_id, 'kind', n.kind, 'title', n.title, 'created_at', n.created_at
          )
          order by n.id
        ),
        '[]'
      )
      from taskbell.notifications n
      where n.task_id = p_task_id
    ),
    'deliveries', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'id', d.id, 'subscription_name', s.name, 'origin', s.origin, 'state', d.state,
            'status_code', d.status_code, 'reason', d.reason, 'latency_ms', d.latency_ms,
            'attempts', d.attempts
          )
          order by d.id
        ),
        '[]'
      )
      from taskbell.notifications n
      join taskbell.deliveries d on d.notification_id = n.id
      join taskbell.subscriptions s on s.id = d.subscription_id
      where n.task_id = p_task_id
    )
  )
$$;

revoke execute on function public.taskbell_status(timestamptz) from public, anon, authenticated;
revoke execute on function public.taskbell_dead_letters(int) from public, anon, authenticated;
revoke execute on function public.taskbell_resend(bigint[], bigint[], timestamptz)
from public, anon, authenticated;
revoke execute on function public.taskbell_trace(text) from public, anon, authenticated;
grant execute on function public.taskbell_status(timestamptz) to service_role;
grant execute on function public.taskbell_dead_letters(int) to service_role;
grant execute on function public.taskbell_resend(bigint[], bigint[], timestamptz) to service_role;
grant execute on function public.taskbell_trace(text) to service_role;
