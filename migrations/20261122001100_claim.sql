-- Claim: take what is due for a while (a lease), with all that is needed to decide and to send.

-- Leases due events, oldest first, passing over what another dispatcher holds; one that was taken 8 times
-- and never finished is a dead letter. p_looked_at: how many were due and looked at.
create function taskbell.lease_events(
  p_limit int, p_lease_until timestamptz, p_now timestamptz, out p_looked_at int, out p_leased bigint[]
)
language plpgsql set search_path = ''
as $$
declare
  v_due bigint[] := array(
    select e.id
    from taskbell.task_events e
    where e.state = 'due' and e.due_at <= p_now
    order by e.due_at, e.id
    limit p_limit
    for update skip locked
  );
begin
  p_looked_at := cardinality(v_due);
  p_leased := '{}';
  if p_looked_at = 0 then
    return;
  end if;
  with leased as (
    update taskbell.task_events e set
      attempts = least(e.attempts + 1, 8),
      due_at = p_lease_until,
      state = case when e.attempts < 8 then 'due' else 'dead' end,
      reason = case when e.attempts < 8 then e.reason else 'too_many_attempts' end,
      finished_at = case when e.attempts >= 8 then p_now end
    where e.id = any (v_due)
    returning e.id, e.state
  )
  select coalesce(array_agg(id order by id) filter (where state = 'due'), '{}') into p_leased from leased;
end
$$;

-- Leases due deliveries. Those for a push service that is left alone wait until it no longer is; those that
-- are too old, tried too often, or for a browser that is gone, end here.
create function taskbell.lease_deliveries(
  p_limit int, p_lease_until timestamptz, p_now timestamptz, out p_looked_at int, out p_leased bigint[]
)
language plpgsql set search_path = '' set enable_nestloop = off
as $$
declare
  v_due bigint[] := array(
    select d.id
    from taskbell.deliveries d
    where d.state = 'due' and d.due_at <= p_now
    order by d.due_at, d.id
    limit p_limit
    for update skip locked
  );
begin
  p_looked_at := cardinality(v_due);
  p_leased := '{}';
  if p_looked_at = 0 then
    return;
  end if;
  with judged as materialized (
    select
      d.id,
      b.blocked_until,
      case
        when s.retired_at is not null then 'subscription_retired'
        when d.expires_at <= p_now or d.expires_at <= b.blocked_until then 'ttl_ended'
        -- While a push service refuses us, tries do not count: it is our mistake, not the delivery's.
        when d.attempts >= 8 and coalesce(d.status_code, 0) not in (401, 403) then 'too_many_attempts'
      end as over
    from taskbell.deliveries d
    cross join lateral (
      select x.origin, x.retired_at from taskbell.subscriptions x where x.id = d.subscription_id offset 0
    ) s
    left join taskbell.push_services b on b.origin = s.origin and b.blocked_until > p_now
    where d.id = any (v_due)
  ),
  leased as (
    update taskbell.deliveries d set
      state = case
        when j.over is null then 'due' when j.over = 'subscription_retired' then 'gone' else 'expired'
      end,
      reason = coalesce(j.over, d.reason),
      attempts = d.attempts + case when j.over is null and j.blocked_until is null then 1 else 0 end,
      lease = d.lease + case when j.over is null and j.blocked_until is null then 1 else 0 end,
      due_at = coalesce(j.blocked_until, p_lease_until),
      finished_at = case when j.over is not null then p_now end
    from judged j
    where d.id = any (v_due) and d.id = j.id
    returning d.id, j.over is null and j.blocked_until is null as to_send
  )
  select coalesce(array_agg(id order by id) filter (where to_send), '{}') into p_leased from leased;
end
$$;

-- The plans of claim, apply and settle are made once a session, and by rule rather than by statistics, which
-- are wrong just when it matters: in the first burst, in tables that were empty. So every row is looked up by
-- its key, one by one (`lateral (... offset 0)`, which the planner leaves as it stands), and no table is read
-- in full.
create function public.taskbell_claim(
  p_limit int default 100, p_lease_seconds int default 60, p_now timestamptz default now()
)
returns json
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_lease_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
  v_events record;
  v_deliveries record;
  v_contexts json := '[]';
begin
  select * into v_events from taskbell.lease_events(p_limit, v_lease_until, p_now);
  -- Whoever is to be rung does not wait for many open pages: those get their turn in the next claim. Here,
  -- because of the order of locks: events, inboxes, deliveries.
  perform taskbell.publish_touched(case when v_events.p_looked_at > 0 then 100 else 5000 end);
  if cardinality(v_events.p_leased) > 0 then
    begin
      v_contexts := taskbell.event_contexts(v_events.p_leased, p_now);
    exception
      when others then
        v_contexts := taskbell.event_contexts_one_by_one(v_events.p_leased, p_now);
    end;
  end if;
  select * into v_deliveries from taskbell.lease_deliveries(p_limit, v_lease_until, p_now);
  return json_build_object(
    'now', p_now,
    'more', v_events.p_looked_at >= p_limit or v_deliveries.p_looked_at >= p_limit
      or exists (select from taskbell.touched),
    'events', v_contexts,
    'deliveries', taskbell.deliveries_json(v_deliveries.p_leased)
  );
end
$$;

-- Asks for the next run, on behalf of one that has to stop while there is more to do; without it, the rest
-- would wait for the clock.
create function public.taskbell_call_again(p_now timestamptz default now())
returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  return jsonb_build_object('called', taskbell.wake_if_due(p_now));
end
$$;

revoke execute on function taskbell.lease_events(int, timestamptz, timestamptz)
from public, anon, authenticated;
revoke execute on function taskbell.lease_deliveries(int, timestamptz, timestamptz)
from public, anon, authenticated;
revoke execute on function public.taskbell_claim(int, int, timestamptz) from public, anon, authenticated;
revoke execute on function public.taskbell_call_again(timestamptz) from public, anon, authenticated;
grant execute on function public.taskbell_claim(int, int, timestamptz) to service_role;
grant execute on function public.taskbell_call_again(timestamptz) to service_role;
