-- The schema Supabase keeps extensions in. Where pgcrypto is not to be had, its hmac() for sha256 in plain
-- SQL.
create schema if not exists extensions authorization postgres;
grant usage on schema extensions to postgres, anon, authenticated, service_role;

do $$
begin
  if exists (select from pg_catalog.pg_available_extensions where name = 'pgcrypto') then
    create extension if not exists pgcrypto with schema extensions;
  end if;
end
$$;

do $outer$
begin
  if to_regprocedure('extensions.hmac(bytea, bytea, text)') is not null then
    return;
  end if;

  -- RFC 2104 §2 over the core function sha256(), whose block is 64 bytes.
  create function extensions.hmac(data bytea, key bytea, type text) returns bytea
  language plpgsql immutable strict as $$
  declare
    block bytea := case when length(key) > 64 then sha256(key) else key end;
    inner_pad bytea;
    outer_pad bytea;
  begin
    if type is distinct from 'sha256' then
      raise exception 'this stand-in for pgcrypto knows sha256 alone' using errcode = '22023';
    end if;
    block := block || decode(repeat('00', 64 - length(block)), 'hex');
    inner_pad := block;
    outer_pad := block;
    for i in 0 .. 63 loop
      inner_pad := set_byte(inner_pad, i, get_byte(block, i) # 54);
      outer_pad := set_byte(outer_pad, i, get_byte(block, i) # 92);
    end loop;
    return sha256(outer_pad || sha256(inner_pad || data));
  end
  $$;
  alter function extensions.hmac(bytea, bytea, text) owner to postgres;
end
$outer$;
