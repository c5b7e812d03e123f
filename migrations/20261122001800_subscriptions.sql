-- The browsers of a person. What goes out never holds an endpoint or a key.

create function taskbell.subscription_json(s taskbell.subscriptions)
returns jsonb
language sql immutable set search_path = ''
as $$
  select to_jsonb(s) - '{user_id, endpoint, origin, p256dh, auth, user_agent}'::text[]
$$;

-- Adds a browser, or renews what is known of it. An endpoint belongs to whoever signed in last on that
-- browser: what was on its way for the person before is not sent. {"error": …} if the person has 20 others
-- already.
create function public.taskbell_subscribe(
  p_user_id uuid, p_subscription jsonb, p_now timestamptz default now()
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_hash text := encode(sha256(convert_to(p_subscription ->> 'endpoint', 'UTF8')), 'hex');
  v_strangers uuid[];
  v_row taskbell.subscriptions;
begin
  if not exists (select from auth.users u where u.id = p_user_id) then
    return jsonb_build_object('error', 'unknown_user');
  end if;
  -- Two people on one browser at once: the second finds the first's subscription, and takes it over as a
  -- whole.
  perform pg_advisory_xact_lock(hashtextextended('taskbell:' || v_hash, 0));
  -- Two browsers that subscribe at once are counted one after the other.
  perform taskbell.lock_inboxes(array[p_user_id]);

  v_strangers := array(
    select s.id from taskbell.subscriptions s where s.endpoint_hash = v_hash and s.user_id <> p_user_id
  );
  perform taskbell.end_deliveries_of(v_strangers, 'subscription_moved', p_now);
  delete from taskbell.subscriptions s where s.id = any (v_strangers);

  if (
    select count(*) from taskbell.subscriptions s
    where s.user_id = p_user_id and s.retired_at is null and s.endpoint_hash <> v_hash
  ) >= 20 then
    return jsonb_build_object('error', 'too_many_subscriptions');
  end if;

  insert into taskbell.subscriptions as s (
    user_id, endpoint, endpoint_hash, origin, p256dh, auth, vapid_public_key, name, user_agent,
    created_at, seen_at
  )
  values (
    p_user_id,
    p_subscription ->> 'endpoint',
    v_hash,
    p_subscription ->> 'origin',
    p_subscription ->> 'p256dh',
    p_subscription ->> 'auth',
    p_subscription ->> 'vapid_public_key',
    coalesce(p_subscription ->> 'name', ''),
    p_subscription ->> 'user_agent',
    p_now,
    p_now
  )
  on conflict (endpoint_hash) do update set
    p256dh = excluded.p256dh,
    auth = excluded.auth,
    vapid_public_key = excluded.vapid_public_key,
    name = case when excluded.name <> '' then excluded.name else s.name end,
    user_agent = coalesce(excluded.user_agent, s.user_agent),
    seen_at = excluded.seen_at,
    retired_at = null,
    retired_reason = null
  returning s.* into v_row;
  return taskbell.subscription_json(v_row);
end
$$;

create function public.taskbell_subscriptions(p_user_id uuid)
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'subscriptions',
    coalesce(jsonb_agg(taskbell.subscription_json(s) order by s.created_at, s.id), '[]')
  )
  from taskbell.subscriptions s
  where s.user_id = p_user_id
$$;

create function public.taskbell_rename_subscription(p_user_id uuid, p_subscription_id uuid, p_name text)
returns jsonb
language sql security definer set search_path = ''
as $$
  update taskbell.subscriptions s set name = p_name
  where s.id = p_subscription_id and s.user_id = p_user_id
  returning taskbell.subscription_json(s)
$$;

create function public.taskbell_unsubscribe(p_user_id uuid, p_subscription_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_ids uuid[] := array(
    select s.id from taskbell.subscriptions s where s.id = p_subscription_id and s.user_id = p_user_id
  );
begin
  -- Their deliveries first: whoever locks both does so in this order.
  perform taskbell.end_deliveries_of(v_ids, 'unsubscribed', now());
  delete from taskbell.subscriptions s where s.id = any (v_ids);
  return jsonb_build_object('removed', found);
end
$$;

revoke execute on function taskbell.subscription_json(taskbell.subscriptions)
from public, anon, authenticated;
revoke execute on function public.taskbell_subscribe(uuid, jsonb, timestamptz)
from public, anon, authenticated;
revoke execute on function public.taskbell_subscriptions(uuid) from public, anon, authenticated;
revoke execute on function public.taskbell_rename_subscription(uuid, uuid, text)
from public, anon, authenticated;
revoke execute on function public.taskbell_unsubscribe(uuid, uuid) from public, anon, authenticated;
grant execute on function public.taskbell_subscribe(uuid, jsonb, timestamptz) to service_role;
grant execute on function public.taskbell_subscriptions(uuid) to service_role;
grant execute on function public.taskbell_rename_subscription(uuid, uuid, text) to service_role;
grant execute on function public.taskbell_unsubscribe(uuid, uuid) to service_role;
