-- "Look now": a signed POST through pg_net. It carries nothing but an event id; the outbox is the truth.
do $$
begin
  create extension if not exists pg_net with schema extensions;
exception
  when others then
    raise notice 'taskbell: no pg_net (% %); only the sweep will look for events', sqlstate, sqlerrm;
end
$$;

-- Signs as Standard Webhooks v1 does (https://github.com/standard-webhooks/standard-webhooks, "Signature
-- scheme"): HMAC-SHA256 over `id.timestamp.body`, where the body's bytes are what pg_net sends, body::text
-- in UTF-8.
create function taskbell.signed_headers(p_id text, p_sent_at timestamptz, p_body jsonb, p_secret text)
returns jsonb
language sql immutable set search_path = ''
as $$
  select jsonb_build_object(
    'content-type', 'application/json',
    'webhook-id', p_id,
    'webhook-timestamp', t.stamp,
    'webhook-signature', 'v1,' || encode(
      extensions.hmac(
        convert_to(p_id || '.' || t.stamp || '.' || p_body::text, 'UTF8'),
        decode(regexp_replace(p_secret, '^whsec_', ''), 'base64'),
        'sha256'
      ),
      'base64'
    )
  )
  from (select floor(extract(epoch from p_sent_at))::bigint::text) as t (stamp)
$$;

-- Posts one wake-up. Does nothing where no address or secret is set, and never fails: whoever writes a task
-- must not notice us. True if a request was queued.
create function taskbell.send_wake_up(p_id text, p_event_id bigint, p_url_names text[])
returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  v_body jsonb := jsonb_build_object('type', 'taskbell.wakeup', 'event_id', p_event_id);
  v_url text;
  v_secret text;
begin
  select
    max(s.decrypted_secret) filter (where s.name = 'taskbell_webhook_secret'),
    (
      array_agg(s.decrypted_secret order by array_position(p_url_names, s.name))
      filter (where s.name = any (p_url_names))
    ) [1]
  into v_secret, v_url
  from vault.decrypted_secrets s
  where s.name = 'taskbell_webhook_secret' or s.name = any (p_url_names);

  if v_url is null or v_secret is null then
    return false;
  end if;
  perform net.http_post(
    url := v_url,
    body := v_body,
    headers := taskbell.signed_headers(p_id, clock_timestamp(), v_body, v_secret),
    timeout_milliseconds := 5000
  );
  return true;
exception
  when others then
    -- Only the code: the message could repeat the address or the secret.
    raise warning 'taskbell: no wake-up was sent (%); the sweep will find the event', sqlstate;
    return false;
end
$$;

revoke execute on function taskbell.signed_headers(text, timestamptz, jsonb, text)
from public, anon, authenticated;
revoke execute on function taskbell.send_wake_up(text, bigint, text[]) from public, anon, authenticated;
