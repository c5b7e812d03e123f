-- A webhook made in Supabase's dashboard says what changed: {type, table, schema, record, old_record},
-- unsigned and unnumbered. It becomes an event only where our own trigger has not made it one.
create function public.taskbell_record(p_payload jsonb)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_operation text := p_payload ->> 'type';
  v_old jsonb := nullif(p_payload -> 'old_record', 'null');
  v_record jsonb := coalesce(nullif(p_payload -> 'record', 'null'), v_old);
  v_task_id text := left(coalesce(v_record ->> 'id', ''), 200);
  v_source taskbell.sources;
  v_newest taskbell.task_events;
  v_id bigint;
  v_reason text;
begin
  select s.* into v_source
  from taskbell.sources s
  where s.schema_name = p_payload ->> 'schema' and s.table_name = p_payload ->> 'table';

  if v_source is null or v_record is null or v_operation not in ('INSERT', 'UPDATE', 'DELETE') then
    return jsonb_build_object('recorded', false, 'event_id', null, 'reason', 'unknown_table');
  end if;
  if v_operation = 'UPDATE' and v_record - v_source.ignored_columns = v_old - v_source.ignored_columns then
    return jsonb_build_object('recorded', false, 'event_id', null, 'reason', 'unchanged');
  end if;

  -- The same webhook twice at once: the second waits, and then finds what the first recorded.
  perform pg_advisory_xact_lock(hashtextextended('taskbell:' || v_task_id, 0));
  select e.* into v_newest
  from taskbell.task_events e
  where e.task_id = v_task_id
  order by e.id desc
  limit 1;

  v_reason := case
    when exists (
      select from pg_catalog.pg_trigger t
      where t.tgrelid = to_regclass(format('%I.%I', v_source.schema_name, v_source.table_name))
        and t.tgname = 'taskbell_capture' and t.tgenabled in ('O', 'A')
    ) then 'captured_by_trigger'
    when exists (
      select from taskbell.task_events e
      where e.task_id = v_task_id and e.operation = v_operation and e.record = v_record
    ) then 'duplicate'
    when v_newest.operation = 'DELETE' or taskbell.changed_before(v_record, v_newest.record) then 'superseded'
  end;
  if v_reason is not null then
    return jsonb_build_object('recorded', false, 'event_id', v_newest.id, 'reason', v_reason);
  end if;

  insert into taskbell.task_events (task_id, operation, record, source)
  values (v_task_id, v_operation, v_record, 'webhook')
  returning id into v_id;
  return jsonb_build_object('recorded', true, 'event_id', v_id, 'reason', null);
end
$$;

-- Webhooks overtake each other: whether one row was written before the other. What cannot be told is no.
create function taskbell.changed_before(p_record jsonb, p_other jsonb)
returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return coalesce(
    (select changed_at from taskbell.describe_task(p_record) limit 1)
    < (select changed_at from taskbell.describe_task(p_other) limit 1),
    false
  );
exception
  when others then
    return false;
end
$$;

revoke execute on function taskbell.changed_before(jsonb, jsonb) from public, anon, authenticated;
revoke execute on function public.taskbell_record(jsonb) from public, anon, authenticated;
grant execute on function public.taskbell_record(jsonb) to service_role;
