-- What comes back from a person's browsers: a test asked for, a contact seen, a notification shown.

-- Makes a notification to one of the person's own browsers, to be sent now. No delivery if it is not theirs.
create function public.taskbell_test(
  p_user_id uuid, p_subscription_id uuid, p_notification jsonb, p_now timestamptz default now()
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_notification_id bigint;
  v_delivery_ids bigint[];
begin
  perform taskbell.lock_inboxes(array[p_user_id]);
  insert into taskbell.notifications (
    user_id, kind, title, body, lang, url, tag, topic, urgency, ttl_seconds, created_at
  )
  select
    p_user_id, 'test', n.title, coalesce(n.body, ''), coalesce(n.lang, 'en'), n.url, n.tag, n.topic,
    coalesce(n.urgency, 'high'), coalesce(n.ttl_seconds, 60), p_now
  from jsonb_to_record(p_notification) as n (
    title text, body text, lang text, url text, tag text, topic text, urgency text, ttl_seconds int
  )
  where exists (
    select from taskbell.subscriptions s
    where s.id = p_subscription_id and s.user_id = p_user_id and s.retired_at is null
  )
  returning id into v_notification_id;

  with made as (
    insert into taskbell.deliveries (
      notification_id, subscription_id, attempts, lease, due_at, expires_at, created_at
    )
    select
      n.id, p_subscription_id, 1, 1, p_now + interval '60 seconds',
      p_now + make_interval(secs => n.ttl_seconds), p_now
    from taskbell.notifications n
    where n.id = v_notification_id
    returning id
  )
  select coalesce(array_agg(id), '{}') into v_delivery_ids from made;
  return jsonb_build_object('deliveries', taskbell.deliveries_json(v_delivery_ids));
end
$$;

-- The person has looked at a contact: nothing of it is new any more, and nothing unsent about it is sent.
create function public.taskbell_seen(p_user_id uuid, p_contact_id text, p_now timestamptz default now())
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_changed boolean;
begin
  perform taskbell.lock_inboxes(array[p_user_id]);
  v_changed := exists (
    select from taskbell.contact_states c
    where c.user_id = p_user_id and c.contact_id = p_contact_id and c.unseen
  );
  update taskbell.contact_states c set unseen = false, seen_at = p_now, seen_event_id = c.event_id
  where c.user_id = p_user_id and c.contact_id = p_contact_id and c.seen_event_id < c.event_id;

  perform taskbell.end_unsent(
    array(
      select n.id
      from taskbell.subscriptions s
      cross join lateral (
        select x.notification_id
        from taskbell.deliveries x
        where x.subscription_id = s.id and x.state = 'due'
        offset 0
      ) d
      cross join lateral (
        select x.id, x.contact_id from taskbell.notifications x where x.id = d.notification_id offset 0
      ) n
      where s.user_id = p_user_id and n.contact_id = p_contact_id
    ),
    'cancelled', 'seen', p_now
  );

  if v_changed then
    update taskbell.inboxes i set version = i.version + 1 where i.user_id = p_user_id;
    perform taskbell.publish_inboxes(array[p_user_id]);
  end if;
  return jsonb_build_object(
    'version', coalesce((select i.version from taskbell.inboxes i where i.user_id = p_user_id), 0)
  );
end
$$;

-- The worker says what became of a delivery: shown, clicked or closed. A test that was shown verifies its
-- browser.
create function public.taskbell_receipt(p_delivery_id bigint, p_event text, p_at timestamptz default now())
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  -- A browser's clock may be wrong; one from the future would hide all that comes after it.
  v_at timestamptz := least(coalesce(p_at, now()), now());
  v_delivery record;
begin
  update taskbell.deliveries d set
    shown_at = case p_event when 'shown' then coalesce(d.shown_at, v_at) else d.shown_at end,
    clicked_at = case p_event when 'clicked' then coalesce(d.clicked_at, v_at) else d.clicked_at end,
    closed_at = case p_event when 'closed' then coalesce(d.closed_at, v_at) else d.closed_at end
  from taskbell.notifications n
  where d.id = p_delivery_id and n.id = d.notification_id and p_event in ('shown', 'clicked', 'closed')
  returning d.subscription_id, n.kind into v_delivery;
  if v_delivery is null then
    return jsonb_build_object('recorded', false);
  end if;

  -- A click or a close is of something that was shown.
  update taskbell.subscriptions s set
    last_shown_at = greatest(s.last_shown_at, v_at),
    verified_at = case v_delivery.kind when 'test' then greatest(s.verified_at, v_at) else s.verified_at end
  where s.id = v_delivery.subscription_id;
  return jsonb_build_object('recorded', true);
end
$$;

revoke execute on function public.taskbell_test(uuid, uuid, jsonb, timestamptz)
from public, anon, authenticated;
revoke execute on function public.taskbell_seen(uuid, text, timestamptz) from public, anon, authenticated;
revoke execute on function public.taskbell_receipt(bigint, text, timestamptz)
from public, anon, authenticated;
grant execute on function public.taskbell_test(uuid, uuid, jsonb, timestamptz) to service_role;
grant execute on function public.taskbell_seen(uuid, text, timestamptz) to service_role;
grant execute on function public.taskbell_receipt(bigint, text, timestamptz) to service_role;
