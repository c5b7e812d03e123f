-- What hosted Supabase refuses on realtime.messages. There `postgres` may make policies on it by an exception
-- in supautils; here it may as a member of the owner, which alone would allow too much.
create or replace function realtime.refuse_what_supautils_refuses() returns event_trigger
language plpgsql set search_path = '' as $$
declare
  refused text := (
    select c.command_tag || ' ' || c.object_identity
    from pg_catalog.pg_event_trigger_ddl_commands() c
    where (c.command_tag = 'COMMENT' and c.object_type = 'policy' and c.object_identity like '% on realtime.%')
      or (c.command_tag = 'ALTER TABLE' and c.object_identity like 'realtime.%')
    limit 1
  );
begin
  if refused is not null and not (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = session_user)
  then
    raise exception 'must be owner: %', refused using errcode = '42501';
  end if;
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'refuse_what_supautils_refuses') then
    create event trigger refuse_what_supautils_refuses on ddl_command_end
    when tag in ('COMMENT', 'ALTER TABLE')
    execute function realtime.refuse_what_supautils_refuses();
  end if;
end
$$;
