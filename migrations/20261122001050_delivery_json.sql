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
returns jsonb
language sql stable set search_path = ''
as $$
  with wanted as materialized (
    select d.id, d.attempts, d.expires_at, d.created_at, d.notification_id, d.subscription_id
    from taskbell.deliveries d
    where d.id = any (p_delivery_ids)
  ),
  people as materialized (
    select array_agg(distinct n.user_id) as ids
    from wanted w
    join taskbell.notifications n on n.id = w.notification_id
  )
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'id', w.id,
        'attempt', w.attempts,
        'occurred_at', coalesce(e.occurred_at, n.created_at),
        'expires_at', w.expires_at,
        'app_badge', coalesce(b.contacts, 0),
        'notification', to_jsonb(n) - '{created_at, cancelled_at}'::text[],
        'subscription', jsonb_build_object(
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
  join taskbell.notifications n on n.id = w.notification_id
  join taskbell.subscriptions s on s.id = w.subscription_id
  left join taskbell.task_events e on e.id = n.event_id
  left join (select * from taskbell.badges((select ids from people))) b on b.user_id = n.user_id
$$;

revoke execute on function taskbell.badges(uuid[]) from public, anon, authenticated;
revoke execute on function taskbell.deliveries_json(bigint[]) from public, anon, authenticated;
