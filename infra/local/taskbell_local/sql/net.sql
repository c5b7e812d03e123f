-- Stand-in for pg_net: a queue that a relay outside of the database empties. Unlogged and open to all, as
-- the real one is.
create schema if not exists net authorization supabase_admin;
grant usage on schema net to public;

create unlogged table if not exists net.http_request_queue (
  id bigserial primary key,
  method text not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds int not null
);

create unlogged table if not exists net._http_response (
  id bigint,
  status_code int,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);
create index if not exists http_response_created on net._http_response (created);
alter table net.http_request_queue owner to supabase_admin;
alter table net._http_response owner to supabase_admin;
grant all on all tables in schema net to public;
grant all on all sequences in schema net to public;

create or replace function net.http_post(
  url text,
  body jsonb default '{}'::jsonb,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{"Content-Type": "application/json"}'::jsonb,
  timeout_milliseconds int default 5000
) returns bigint language plpgsql as $$
declare
  request_id bigint;
  content_type text := (
    select h.value from jsonb_each_text(coalesce(headers, '{}')) as h where lower(h.key) = 'content-type' limit 1
  );
begin
  if content_type is null then
    headers := headers || '{"Content-Type": "application/json"}';
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  if params is distinct from '{}'::jsonb then
    raise exception 'this stand-in for pg_net knows no query parameters' using errcode = '0A000';
  end if;
  if url !~ '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]' then
    raise exception 'invalid URL "%"', url;
  end if;
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values ('POST', url, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds)
  returning id into request_id;
  perform pg_notify('net_wake', '');
  return request_id;
end
$$;
