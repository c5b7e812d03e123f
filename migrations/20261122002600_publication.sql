-- Postgres Changes, for pages that listen to the tables themselves: agent_tasks, and the drafts, follow-ups
-- and activity that such pages may want as well. Adding a table twice is an error; one that is not there, or
-- not ours to add, is left out with a word. So is one without a replica identity: published, it would refuse
-- its application's updates and deletes.
do $$
declare
  v_table text;
begin
  if not exists (
    select from pg_catalog.pg_publication where pubname = 'supabase_realtime' and not puballtables
  ) then
    return;
  end if;
  foreach v_table in array array[
    'agent_tasks', 'agent_outreach_drafts', 'agent_followup_schedule', 'agent_activity_log'
  ] loop
    begin
      if not exists (
        select from pg_catalog.pg_publication_tables
        where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = v_table
      ) then
        if exists (
          select from pg_catalog.pg_class c
          where c.oid = to_regclass('public.' || v_table)
            and c.relreplident in ('n', 'd')
            and not exists (
              select from pg_catalog.pg_index i
              where i.indrelid = c.oid and i.indisprimary and c.relreplident = 'd'
            )
        ) then
          raise exception 'it has no replica identity' using errcode = '55000';
        end if;
        execute format('alter publication supabase_realtime add table public.%I', v_table);
        update taskbell.application_tables a set published = true where a.table_name = v_table;
      end if;
    exception
      when others then
        raise notice
          'taskbell: public.% is not published (% %); switch Realtime on for it in the dashboard, under '
          'Database, Publications, if pages listen to the table itself',
          v_table, sqlstate, sqlerrm;
    end;
  end loop;
end
$$;
