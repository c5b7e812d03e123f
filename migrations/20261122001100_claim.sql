-- Claim: take what is due for a while (a lease), with all that is needed to decide and to send.

-- Leases due events, oldest first, passing over what another dispatcher holds; one that was taken 8 times
-- and never finished is a dead letter. p_looked_at: how many were due and looked at.
create function taskbell.lease_events(
  p_limit int, p_lease_until timestamptz, p_now timestamptz, out p_looked_at int, out p_leased bigint[]
)
language sql set search_path = ''
as $$
  with due as materialized (
    select e.id, e.attempts
    from taskbell.task_events e
    where e.state = 'due' and e.due_at <= p_now
    order by e.due_at, e.id
    limit p_limit
    for update skip locked
  ),
  leased as (
    update taskbell.task_events e set
      attempts = least(e.attempts + 1, 8),
      due_at = p_lease_until,
      state = case when due.attempts < 8 then 'due' else 'dead' end,
      reason = case when due.attempts < 8 then e.reason else 'too_many_attempts' end,
      finished_at = case when due.attempts >= 8 then p_now end
    from due
    where e.id = due.id
    returning e.id, e.state
  )
  select count(*)::int, coalesce(array_agg(id order by id) filter (where state = 'due'), '{}') from leased
$$;

-- Leases due deliveries. Those for a push service that is left alone wait until it no longer is; those that
-- are too old, tried too often, or for a browser that is gone, end here.
create function taskbell.lease_deliveries(
  p_limit int, p_lease_until timestamptz, p_now timestamptz, out p_looked_at int, out p_leased bigint[]
)
language sql set search_path = ''
as $$
  with due as materialized (
    select
      d.id,
      b.blocked_until,
      case
        when s.retired_at is not null then 'gone'
        when d.expires_at <= p_now or d.expires_at <= b.blocked_until then 'expired'
        -- While a push service refuses us, tries do not count: it is our mistake, not the delivery's.
        when d.attempts >= 8 and coalesce(d.status_code, 0) not in (401, 403) then 'expired'
        else 'due'
      end as state,
      case
        when s.retired_at is not null then 'subscription_retired'
        when d.expires_at <= p_now or d.expires_at <= b.blocked_until then 'ttl_ended'
        when d.attempts >= 8 and coalesce(d.status_code, 0) not in (401, 403) then 'too_many_attempts'
      end as reason
    from taskbell.deliveries d
    join taskbell.subscriptions s on s.id = d.subscription_id
    left join taskbell.push_services b on b.origin = s.origin and b.blocked_until > p_now
    where d.state = 'due' and d.due_at <= p_now
    order by d.due_at, d.id
    limit p_limit
    for update of d skip locked
  ),
  leased as (
    update taskbell.deliveries d set
      state = due.state,
      reason = coalesce(due.reason, d.reason),
      attempts = d.attempts + case when due.state = 'due' and due.blocked_until is null then 1 else 0 end,
      due_at = coalesce(due.blocked_until, p_lease_until),
      finished_at = case when due.state <> 'due' then p_now end
    from due
    where d.id = due.id
    returning d.id, due.state = 'due' and due.blocked_until is null as to_send
  )
  select count(*)::int, coalesce(array_agg(id order by id) filter (where to_send), '{}') from leased
$$;

create function public.taskbell_claim(
  p_limit int default 100, p_lease_seconds int default 60, p_now timestamptz default now()
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_lease_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
  v_events record;
  v_deliveries record;
  v_contexts jsonb := '[]';
begin
  select * into v_events from taskbell.lease_events(p_limit, v_lease_until, p_now);
  if cardinality(v_events.p_leased) > 0 then
    begin
      v_contexts := taskbell.event_contexts(v_events.p_leased, p_now);
    exception
      when others then
        v_contexts := taskbell.event_contexts_one_by_one(v_events.p_leased, p_now);
    end;
  end if;
  select * into v_deliveries from taskbell.lease_deliveries(p_limit, v_lease_until, p_now);
  return jsonb_build_object(
    'now', p_now,
    'more', v_events.p_looked_at >= p_limit or v_deliveries.p_looked_at >= p_limit,
    'events', v_contexts,
    'deliveries', taskbell.deliveries_json(v_deliveries.p_leased)
  );
end
$$;

revoke execute on function taskbell.lease_events(int, timestamptz, timestamptz)
from public, anon, authenticated;
revoke execute on function taskbell.lease_deliveries(int, timestamptz, timestamptz)
from public, anon, authenticated;
revoke execute on function public.taskbell_claim(int, int, timestamptz) from public, anon, authenticated;
grant execute on function public.taskbell_claim(int, int, timestamptz) to service_role;
