-- Apply, third part: what is sent, and what no longer is. The caller holds the inboxes' locks.

-- Ends deliveries that have not been sent, and marks their notifications.
create function taskbell.end_unsent(
  p_notification_ids bigint[], p_state text, p_reason text, p_now timestamptz
)
returns void
language plpgsql set search_path = ''
as $$
declare
  v_unsent bigint[] := array(
    select d.id
    from taskbell.deliveries d
    where d.notification_id = any (p_notification_ids) and d.state = 'due'
    order by d.id
    for update
  );
begin
  if cardinality(v_unsent) = 0 then
    return;
  end if;
  update taskbell.deliveries d set state = p_state, reason = p_reason, finished_at = p_now
  where d.id = any (v_unsent);
  if p_state = 'cancelled' then
    update taskbell.notifications n set cancelled_at = p_now
    where n.id = any (array(select d.notification_id from taskbell.deliveries d where d.id = any (v_unsent)));
  end if;
end
$$;

-- Makes the notifications of verdicts that are news, once for each event and person, and a delivery to each
-- of the person's live browsers; what they replace on screen (same person and tag, older event) is not sent
-- any more. Returns the deliveries to send now: not those that are held, nor those whose push service is
-- left alone.
create function taskbell.make_notifications(
  p_verdicts taskbell.verdict[], p_lease_until timestamptz, p_now timestamptz,
  out p_notified int, out p_to_send bigint[]
)
language plpgsql set search_path = ''
as $$
declare
  v_new bigint[];
begin
  with made as (
    insert into taskbell.notifications (
      user_id, event_id, task_id, contact_id, agent_id, kind, title, body, lang, url, tag, topic, urgency,
      ttl_seconds, sticky, contact_name, agent_name, held, created_at
    )
    select
      v.user_id, v.event_id, v.task_id, nullif(v.contact_id, ''), nullif(v.agent_id, ''), n.kind, n.title,
      coalesce(n.body, ''), coalesce(n.lang, 'en'), n.url, n.tag, n.topic, coalesce(n.urgency, 'normal'),
      n.ttl_seconds, coalesce(n.sticky, false), n.contact_name, n.agent_name, n.hold_until is not null, p_now
    from unnest(p_verdicts) v
    cross join lateral jsonb_to_record(v.notification) as n (
      kind text, title text, body text, lang text, url text, tag text, topic text, urgency text,
      ttl_seconds int, sticky boolean, contact_name text, agent_name text, hold_until timestamptz
    )
    where v.notification is not null and not v.same
    order by v.event_id, v.user_id
    on conflict (event_id, user_id) do nothing
    returning id
  )
  select coalesce(array_agg(id), '{}'), count(*) into v_new, p_notified from made;
  p_to_send := '{}';
  if p_notified = 0 then
    return;
  end if;

  -- Only the one before it can have anything unsent, for it did the same to those before itself; what was told
  -- of this contact in former times is not looked at.
  perform taskbell.end_unsent(
    array(
      select o.id
      from taskbell.notifications n
      cross join lateral (
        select x.id
        from taskbell.notifications x
        where x.user_id = n.user_id and x.tag = n.tag and x.event_id < n.event_id
        order by x.event_id desc
        limit 1
      ) o
      where n.id = any (v_new)
    ),
    'superseded', 'newer_notification', p_now
  );

  with made as (
    insert into taskbell.deliveries (
      notification_id, subscription_id, state, reason, attempts, lease, due_at, expires_at, created_at,
      finished_at
    )
    select
      n.id, s.id,
      case when newer.there then 'superseded' else 'due' end,
      case when newer.there then 'newer_notification' end,
      first.lease, first.lease,
      coalesce(greatest(v.hold_until, b.blocked_until), p_lease_until),
      greatest(p_now, v.hold_until) + make_interval(secs => n.ttl_seconds),
      p_now,
      case when newer.there then p_now end
    from taskbell.notifications n
    join (
      select x.event_id, x.user_id, (x.notification ->> 'hold_until')::timestamptz as hold_until
      from unnest(p_verdicts) x
    ) v on v.event_id = n.event_id and v.user_id = n.user_id
    cross join lateral (
      select x.id, x.origin
      from taskbell.subscriptions x
      where x.user_id = n.user_id and x.retired_at is null
      offset 0
    ) s
    left join taskbell.push_services b on b.origin = s.origin and b.blocked_until > p_now
    cross join lateral (
      select exists (
        select from taskbell.notifications o
        where o.user_id = n.user_id and o.tag = n.tag and o.event_id > n.event_id
      ) as there
    ) newer
    cross join lateral (
      select
        case when newer.there or v.hold_until is not null or b.blocked_until is not null then 0 else 1 end
          as lease
    ) first
    where n.id = any (v_new)
    order by n.id, s.id
    returning id, state = 'due' and lease = 1 as to_send
  )
  select coalesce(array_agg(id order by id) filter (where to_send), '{}') into p_to_send from made;
end
$$;

revoke execute on function taskbell.end_unsent(bigint[], text, text, timestamptz)
from public, anon, authenticated;
revoke execute on function taskbell.make_notifications(taskbell.verdict[], timestamptz, timestamptz)
from public, anon, authenticated;
