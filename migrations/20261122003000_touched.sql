-- Drafts, follow-ups and activity that change while a contact is open: its page looks again, nobody is rung.

-- Whose details changed. Writers only add to it: no lock is waited for, nothing is looked up, and no key
-- refers to another table. Rows live from a commit to the next claim.
create table taskbell.touched (
  id bigint generated always as identity primary key,
  user_id uuid not null
) with (autovacuum_vacuum_scale_factor = 0.02);
alter table taskbell.touched enable row level security;
revoke all on taskbell.touched from public, anon, authenticated;
grant select on taskbell.touched to service_role;

-- Notes the owners of the rows that a statement wrote, and sends the transaction's one wake-up if nothing
-- else in it has. Whoever writes must not notice us, whatever goes wrong here.
create function taskbell.touch() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  v_id bigint;
begin
  if tg_op = 'UPDATE' then
    insert into taskbell.touched (user_id)
    select w.user_id from written w where w.user_id is not null
    union
    select b.user_id from before b where b.user_id is not null;
  else
    insert into taskbell.touched (user_id)
    select distinct w.user_id from written w where w.user_id is not null;
  end if;
  if not found or coalesce(current_setting('taskbell.woken', true), '') <> '' then
    return null;
  end if;
  v_id := currval('taskbell.touched_id_seq');
  perform set_config('taskbell.woken', 'yes', true);
  perform taskbell.send_wake_up('touched_' || v_id, null, array['taskbell_webhook_url']);
  return null;
exception
  when others then
    raise warning 'taskbell: open pages are not told of this change (%)', sqlstate;
    return null;
end
$$;

-- Raises the inbox versions of those who were touched, and tells whoever waits. A person whose inbox another
-- transaction holds stays noted for the next claim: nothing is waited for here but the making of an inbox,
-- and that in the order of its keys. Where there is more than p_limit, the next claim is called for at once.
create function taskbell.publish_touched(p_limit int)
returns void
language plpgsql set search_path = ''
as $$
declare
  v_ids bigint[];
  v_people uuid[];
begin
  with taken as materialized (
    select t.id, t.user_id from taskbell.touched t order by t.id limit p_limit for update skip locked
  )
  select array_agg(t.id), array_agg(distinct t.user_id order by t.user_id) into v_ids, v_people from taken t;
  if v_ids is null then
    return;
  end if;
  insert into taskbell.inboxes (user_id)
  select u.id from auth.users u
  where u.id = any (v_people)
    and not exists (select from taskbell.inboxes i where i.user_id = u.id offset 0)
  order by u.id
  on conflict (user_id) do nothing;
  v_people := array(
    select i.user_id from taskbell.inboxes i
    where i.user_id = any (v_people)
    order by i.user_id
    for no key update skip locked
  );
  update taskbell.inboxes i set version = i.version + 1 where i.user_id = any (v_people);
  delete from taskbell.touched t
  where t.id = any (v_ids)
    and (
      t.user_id = any (v_people)
      -- Nobody's any more.
      or not exists (select from taskbell.inboxes i where i.user_id = t.user_id)
    );
  if found and cardinality(v_ids) >= p_limit then
    perform taskbell.send_wake_up('touched_after_' || v_ids[p_limit], null, array['taskbell_webhook_url']);
  end if;
  perform taskbell.publish_inboxes(v_people);
end
$$;

-- From now on a table's rows touch the person whom their user_id names. Transition tables need a trigger for
-- each kind of statement.
create function taskbell.watch_details(p_table text)
returns void
language plpgsql set search_path = ''
as $$
declare
  v_kind text;
begin
  if not exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('public.' || quote_ident(p_table))
      and a.attname = 'user_id' and a.atttypid = 'uuid'::regtype and not a.attisdropped
  ) then
    raise notice 'taskbell: public.% names no user_id: open pages see its changes when they look again', p_table;
    return;
  end if;
  foreach v_kind in array array['insert', 'update', 'delete'] loop
    execute format('drop trigger if exists %I on public.%I', 'taskbell_touch_' || v_kind, p_table);
    execute format(
      'create trigger %I after %s on public.%I referencing %s '
      'for each statement execute function taskbell.touch()',
      'taskbell_touch_' || v_kind, v_kind, p_table,
      case v_kind
        when 'insert' then 'new table as written'
        when 'update' then 'old table as before new table as written'
        else 'old table as written'
      end
    );
  end loop;
exception
  when insufficient_privilege or wrong_object_type then
    raise notice 'taskbell: public.% is not ours to watch (%): open pages see its changes when they look again',
      p_table, sqlerrm;
end
$$;

revoke execute on function taskbell.touch() from public, anon, authenticated;
revoke execute on function taskbell.publish_touched(int) from public, anon, authenticated;
revoke execute on function taskbell.watch_details(text) from public, anon, authenticated;

select taskbell.watch_details('agent_outreach_drafts');
select taskbell.watch_details('agent_followup_schedule');
select taskbell.watch_details('agent_activity_log');
