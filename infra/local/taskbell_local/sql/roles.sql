-- Supabase's roles, as its own init scripts lay them out. Roles belong to the whole cluster, so each is
-- made once.
do $$
declare
  wanted constant text[][] := array[
    ['postgres', 'login nosuperuser bypassrls createrole createdb replication'],
    ['anon', 'nologin noinherit'],
    ['authenticated', 'nologin noinherit'],
    ['service_role', 'nologin noinherit bypassrls'],
    ['authenticator', 'login noinherit'],
    ['supabase_auth_admin', 'nologin noinherit createrole'],
    ['supabase_realtime_admin', 'nologin noinherit']
  ];
  i int;
begin
  for i in 1 .. array_length(wanted, 1) loop
    if to_regrole(wanted[i][1]) is null then
      execute format('create role %I %s', wanted[i][1], wanted[i][2]);
    end if;
  end loop;
  -- From Postgres 16 on, CREATEROLE alone no longer lets a role pass on what it was not given with ADMIN.
  execute 'grant anon, authenticated, service_role to postgres with admin option';
  execute 'grant pg_monitor, pg_read_all_data, pg_signal_backend, supabase_realtime_admin to postgres';
  execute 'grant anon, authenticated, service_role to authenticator';
  -- It may change settings of `authenticator`, as PostgREST's list of schemas.
  execute 'grant alter system, set on parameter "pgrst.db_schemas" to postgres';
  if current_setting('server_version_num')::int >= 160000 then
    execute 'grant authenticator to postgres with admin true, inherit false, set false';
  end if;
end
$$;

alter role postgres set search_path to "$user", public, extensions;
alter role anon set statement_timeout to '3s';
alter role authenticated set statement_timeout to '8s';
alter role authenticator set statement_timeout to '8s';
alter role authenticator set lock_timeout to '8s';

grant usage on schema public to postgres, anon, authenticated, service_role;
