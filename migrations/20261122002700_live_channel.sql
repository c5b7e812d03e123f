-- The live channel: each person may listen to the private topic `user:<own id>`, and to no other. Optional:
-- where realtime.messages is not ours to give a policy to, pages poll, and nothing else is lost.
do $$
begin
  drop policy if exists "taskbell: own live channel" on realtime.messages;
  create policy "taskbell: own live channel" on realtime.messages
  for select to authenticated using (
    realtime.messages.extension = 'broadcast'
    and (select realtime.topic()) = 'user:' || (select auth.uid())::text
  );
exception
  when others then
    raise notice 'taskbell: no live channel (% %); pages will poll instead', sqlstate, sqlerrm;
end
$$;
