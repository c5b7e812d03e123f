-- Who may read and write the application's tables: the owner of a row. Only on the tables that are ours;
-- those that were there before keep the policies and grants they have.
do $$
declare
  v_table text;
begin
  for v_table in select table_name from taskbell.application_tables where ours loop
    execute format('alter table public.%I enable row level security', v_table);
    execute format('revoke all on public.%I from public, anon, authenticated', v_table);
    execute format('grant select, insert, update, delete on public.%I to authenticated', v_table);
    execute format('grant all on public.%I to service_role', v_table);
    if v_table <> 'agents' then
      execute format(
        'create policy "own rows" on public.%I for all to authenticated '
        'using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()))', v_table
      );
    end if;
  end loop;

  if (select ours from taskbell.application_tables where table_name = 'agents') then
    create policy "own and everyone's agents" on public.agents
    for select to authenticated using (user_id is null or user_id = (select auth.uid()));
    create policy "add own agents" on public.agents
    for insert to authenticated with check (user_id = (select auth.uid()));
    create policy "change own agents" on public.agents
    for update to authenticated
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
    create policy "remove own agents" on public.agents
    for delete to authenticated using (user_id = (select auth.uid()));
  end if;
end
$$;
