-- Postgres Changes on agent_tasks, for pages that listen to the table itself. Adding a table twice is an
-- error.
do $$
begin
  if exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime' and not puballtables)
    and not exists (
      select from pg_catalog.pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'agent_tasks'
    )
  then
    alter publication supabase_realtime add table public.agent_tasks;
  end if;
end
$$;
