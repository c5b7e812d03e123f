-- A delivery as the sender needs it: the message, the browser, and the number on the app's icon.

-- How many contacts of each person have something unseen. A contact that the person may no longer see does
-- not count.
create function taskbell.badges(p_user_ids uuid[])
returns table (user_id uuid, contacts int)
language plpgsql stable set search_path = ''
as $$
begin
  return query
  select c.user_id, count(distinct c.contact_id)::int
  from taskbell.contact_states c
  where c.unseen and c.user_id = any (p_user_ids)
    and taskbell.describe_contact(c.contact_id, c.user_id) is not null
  group by c.user_id;
exception
  when others then
    -- describe_contact is the application's; a mistake in it must not stop what is on its way.
    return query
    select c.user_id, count(distinct c.contact_id)::int
    from taskbell.contact_states c
    where c.unseen and c.user_id = any (p_user_ids)
    group by c.user_id;
end
$$;

create function taskbell.deliveries_json(p_delivery_ids bigint[])
returns json
language plpgsql stable set search_path = ''
as $$
begin
  return (
    with wanted as materialized (
      select d.id, d.lease, d.attempts, d.expires_at, d.created_at, d.notification_id, d.subscription_id
      from taskbell.deliveries d
      where d.id = any (p_delivery_ids)
    ),
    badges as materialized (
      select b.user_id, b.contacts
      from taskbell.badges(array(
        select distinct n.user_id
        from wanted w
        cross join lateral (
          select x.user_id from taskbell.notifications x where x.id = w.notification_id offset 0
        ) n
      )) b
    )
    select coalesce(
      json_agg(
        json_build_object(
          'id', w.id,
          'lease', w.lease,
          'attempt', w.attempts,
          'occurred_at', coalesce(e.occurred_at, n.created_at),
          'expires_at', w.expires_at,
          'app_badge', coalesce(b.contacts, 0),
          'notification', json_build_object(
            'id', n.id,
            'user_id', n.user_id,
            'event_id', n.event_id,
            'task_id', n.task_id,
            'contact_id', n.contact_id,
            'agent_id', n.agent_id,
            'kind', n.kind,
            'title', n.title,
            'body', n.body,
            'lang', n.lang,
            'url', n.url,
            'tag', n.tag,
            'topic', n.topic,
            'urgency', n.urgency,
            'ttl_seconds', n.ttl_seconds,
            'sticky', n.sticky,
            'contact_name', n.contact_name,
            'agent_name', n.agent_name,
            'held', n.held
          ),
          'subscription', json_build_object(
            'id', s.id,
            'endpoint', s.endpoint,
            'origin', s.origin,
            'p256dh', s.p256dh,
            'auth', s.auth,
            'vapid_public_key', s.vapid_public_key
          )
        )
        order by w.id
      ),
      '[]'
    )
    from wanted w
    cross join lateral (
      select * from taskbell.notifications x where x.id = w.notification_id offset 0
    ) n
    cross join lateral (
      select * from taskbell.subscriptions x where x.id = w.subscription_id offset 0
    ) s
    left join lateral (
      select x.occurred_at from taskbell.task_events x where x.id = n.event_id offset 0
    ) e on true
    left join badges b on b.user_id = n.user_id
  );
end
$$;

revoke execute on function taskbell.badges(uuid[]) from public, anon, authenticated;
revoke execute on function taskbell.deliveries_json(bigint[]) from public, anon, authenticated;
