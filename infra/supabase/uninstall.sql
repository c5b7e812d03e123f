-- Takes Taskbell out of a database: run as postgres, in one transaction (psql --single-transaction --file).
-- Removes only what is ours. The application's tables stay as they are, with their rows, keys and policies,
-- those that our migrations created included; so do pg_net and pg_cron. Which of them Realtime publishes is
-- again what it was.

do $$
begin
  perform cron.unschedule(j.jobname) from cron.job j where j.jobname in ('taskbell', 'taskbell-prune');
exception
  when others then
    raise notice 'taskbell: no clock to stop (%)', sqlstate;
end
$$;

do $$
begin
  drop policy if exists "taskbell: own live channel" on realtime.messages;
exception
  when others then
    raise notice 'taskbell: no live channel to close (%)', sqlstate;
end
$$;

do $$
begin
  delete from vault.secrets s
  where s.name in ('taskbell_webhook_url', 'taskbell_webhook_secret', 'taskbell_sweep_url');
exception
  when others then
    raise notice 'taskbell: please remove the secrets named taskbell_… from Vault yourself (%)', sqlstate;
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'taskbell\_%'
  loop
    execute format('drop function %s', v_function);
  end loop;
end
$$;

do $$
declare
  v_table text;
begin
  for v_table in
    select a.table_name from taskbell.application_tables a
    join pg_catalog.pg_publication_tables p on p.schemaname = 'public' and p.tablename = a.table_name
    where a.published and p.pubname = 'supabase_realtime'
  loop
    execute format('alter publication supabase_realtime drop table public.%I', v_table);
  end loop;
exception
  when others then
    raise notice 'taskbell: the publication supabase_realtime stays as it is (%)', sqlstate;
end
$$;

-- The triggers on the application's tables go with their functions.
drop schema if exists taskbell cascade;

-- What was applied may be applied again.
do $$
begin
  delete from supabase_migrations.schema_migrations m
  where m.version in (
    '20261122000100', '20261122000200', '20261122000210', '20261122000300', '20261122000400',
    '20261122000500', '20261122000600', '20261122000700', '20261122000800', '20261122000900',
    '20261122001000', '20261122001050', '20261122001100', '20261122001200', '20261122001300',
    '20261122001400', '20261122001500', '20261122001600', '20261122001700', '20261122001800',
    '20261122001900', '20261122002000', '20261122002100', '20261122002200', '20261122002300',
    '20261122002400', '20261122002500', '20261122002600', '20261122002700', '20261122002800',
    '20261122002900', '20261122003000'
  );
exception
  when undefined_table then
    null;
end
$$;
