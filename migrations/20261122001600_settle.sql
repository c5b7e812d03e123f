-- Settle: what the push services answered, for a whole batch in one call, which may be made twice: an answer
-- belongs to one lease. A try that ended before the message went out was none, and is not one of the 8.

-- Plans as taskbell_claim has them; what are no look-ups are joins of the batch with itself, by hash.
create function public.taskbell_settle(p_outcomes jsonb, p_now timestamptz default now())
returns jsonb
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_nestloop = off set jit = off
as $$
declare
  v_ids bigint[] := array(
    select distinct x.delivery_id
    from jsonb_to_recordset(p_outcomes) as x (delivery_id bigint)
    order by x.delivery_id
  );
  v_heard uuid[];
  v_blocked jsonb;
  v_settled int;
  v_gone uuid[];
begin
  -- All locks first, each kind in the order of its keys, so that two batches never wait for each other.
  v_heard := array(
    select d.subscription_id from taskbell.deliveries d where d.id = any (v_ids) order by d.id for update
  );
  perform from taskbell.subscriptions s where s.id = any (v_heard) order by s.id for no key update;
  perform from taskbell.push_services b order by b.origin for update;

  -- 401 and 403 are our mistake with a whole push service, unless it takes others of our messages at the
  -- same time.
  with answers as (
    select x.*
    from jsonb_to_recordset(p_outcomes) as x (
      outcome text, reason text, retry_after_seconds numeric, origin text
    )
    where x.origin is not null
  ),
  trusted as (
    delete from taskbell.push_services b
    where b.origin in (select origin from answers where outcome = 'accepted')
  ),
  refused as (
    insert into taskbell.push_services as b (origin, blocked_until, reason, since)
    select
      a.origin,
      p_now + make_interval(secs => coalesce(max(a.retry_after_seconds), 600)::float),
      coalesce(max(a.reason), 'misconfigured'),
      p_now
    from answers a
    where a.outcome = 'misconfigured'
      and a.origin not in (select origin from answers where outcome = 'accepted')
    group by a.origin
    order by a.origin
    on conflict (origin) do update set
      blocked_until = greatest(b.blocked_until, excluded.blocked_until), reason = excluded.reason
    returning b.origin
  )
  select coalesce(jsonb_agg(origin order by origin), '[]') into v_blocked from refused;

  with answers as (
    select distinct on (x.delivery_id) x.*
    from jsonb_to_recordset(p_outcomes) as x (
      delivery_id bigint, lease int, outcome text, status_code int, reason text, retry_after_seconds numeric
    )
    order by x.delivery_id, x.outcome = 'accepted' desc, x.lease desc
  ),
  judged as (
    select
      d.id, a.outcome, a.status_code, a.reason, d.subscription_id, d.expires_at,
      d.attempts - case
        when a.outcome = 'retry' and a.reason in ('budget_exhausted', 'closed') then 1 else 0
      end as attempts,
      coalesce(e.occurred_at, n.created_at) as since,
      p_now + make_interval(secs => coalesce(
        a.retry_after_seconds, case a.outcome when 'misconfigured' then 600 else 15 end
      )::float) as again_at
    from answers a
    cross join lateral (select * from taskbell.deliveries x where x.id = a.delivery_id offset 0) d
    cross join lateral (
      select x.event_id, x.created_at from taskbell.notifications x where x.id = d.notification_id offset 0
    ) n
    left join lateral (
      select x.occurred_at from taskbell.task_events x where x.id = n.event_id offset 0
    ) e on true
    -- What a push service took, it took, whatever became of the delivery meanwhile.
    where (a.outcome = 'accepted' and d.state not in ('accepted', 'gone'))
      or (d.state = 'due' and d.lease = a.lease)
  ),
  ends as (
    select
      j.*,
      case
        when j.outcome in ('accepted', 'gone', 'rejected', 'expired') then j.outcome
        when j.again_at >= j.expires_at then 'expired'
        when j.outcome = 'retry' and j.attempts >= 8 then 'expired'
        else 'due'
      end as state
    from judged j
  ),
  settled as (
    update taskbell.deliveries d set
      state = x.state,
      attempts = x.attempts,
      status_code = x.status_code,
      reason = case
        when x.state = 'expired' and x.outcome <> 'expired' then
          case when x.again_at >= x.expires_at then 'ttl_ended' else 'too_many_attempts' end
        else x.reason
      end,
      due_at = case x.state when 'due' then x.again_at else d.due_at end,
      accepted_at = case x.state when 'accepted' then p_now end,
      latency_ms = case x.state when 'accepted' then
        least(greatest(extract(epoch from p_now - x.since) * 1000, 0), 2147483647)::int
      end,
      finished_at = case when x.state <> 'due' then p_now end
    from ends x
    where d.id = any (v_ids) and d.id = x.id
    returning d.subscription_id, d.state, d.status_code, d.reason
  ),
  heard as (
    update taskbell.subscriptions s set
      last_accepted_at = case when h.accepted then p_now else s.last_accepted_at end,
      retired_at = case when h.gone then coalesce(s.retired_at, p_now) else s.retired_at end,
      retired_reason = case when h.gone then coalesce(s.retired_reason, h.why) else s.retired_reason end
    from (
      select
        subscription_id,
        bool_or(state = 'accepted') as accepted,
        bool_or(state = 'gone') as gone,
        max(coalesce(reason, status_code::text)) filter (where state = 'gone') as why
      from settled
      where state in ('accepted', 'gone')
      group by subscription_id
    ) h
    where s.id = any (v_heard) and s.id = h.subscription_id
    returning s.id, h.gone
  )
  select
    (select count(*) from settled),
    (select coalesce(array_agg(id), '{}') from heard where gone)
  into v_settled, v_gone;

  if cardinality(v_gone) > 0 then
    perform taskbell.end_deliveries_of(v_gone, 'subscription_retired', p_now);
  end if;
  return jsonb_build_object(
    'settled', v_settled, 'retired', cardinality(v_gone), 'blocked_origins', v_blocked
  );
end
$$;

-- Ends what is still on its way to browsers that are no more.
create function taskbell.end_deliveries_of(p_subscription_ids uuid[], p_reason text, p_now timestamptz)
returns void
language plpgsql set search_path = ''
as $$
declare
  v_unsent bigint[] := array(
    select d.id
    from taskbell.deliveries d
    where d.subscription_id = any (p_subscription_ids) and d.state = 'due'
  );
begin
  -- In the order of their numbers, as everybody locks them.
  update taskbell.deliveries d set state = 'gone', reason = p_reason, finished_at = p_now
  where d.id = any (array(
    select x.id
    from taskbell.deliveries x
    where x.id = any (v_unsent) and x.state = 'due'
    order by x.id
    for update
  ));
end
$$;

revoke execute on function taskbell.end_deliveries_of(uuid[], text, timestamptz)
from public, anon, authenticated;
revoke execute on function public.taskbell_settle(jsonb, timestamptz) from public, anon, authenticated;
grant execute on function public.taskbell_settle(jsonb, timestamptz) to service_role;
