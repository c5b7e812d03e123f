-- Capture, in the writer's own transaction: one insert a changed row, at most one wake-up a transaction.

-- Writes the event. The arguments are the ignored columns: an update of those alone is no event.
-- Everything else that could be asked of the row is asked later, when the event is claimed.
create function taskbell.capture() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  v_record jsonb := case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  v_id bigint;
begin
  if tg_op = 'UPDATE' and v_record - tg_argv [:] = to_jsonb(old) - tg_argv [:] then
    return null;
  end if;
  -- An index takes no key of any length, and the writer must not fail for one of ours.
  insert into taskbell.task_events (task_id, operation, record)
  values (left(coalesce(v_record ->> 'id', ''), 200), tg_op, v_record)
  returning id into v_id;
  perform set_config('taskbell.newest_event', v_id::text, true);
  return null;
end
$$;

-- Sends the wake-up, once in a transaction; a savepoint rolled back takes mark and request with it.
create function taskbell.wake_up() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  v_event text := current_setting('taskbell.newest_event', true);
begin
  if coalesce(v_event, '') <> '' and coalesce(current_setting('taskbell.woken', true), '') = '' then
    perform set_config('taskbell.woken', 'yes', true);
    perform taskbell.send_wake_up('event_' || v_event, v_event::bigint, array['taskbell_webhook_url']);
  end if;
  return null;
end
$$;

-- Captures a table from now on; again, with other ignored columns, if it is called again.
create function taskbell.watch(p_schema text, p_table text, p_ignored_columns text[])
returns void
language plpgsql set search_path = ''
as $$
declare
  v_arguments text := (
    select coalesce(string_agg(quote_literal(c), ', '), '') from unnest(p_ignored_columns) as c
  );
begin
  insert into taskbell.sources (schema_name, table_name, ignored_columns)
  values (p_schema, p_table, p_ignored_columns)
  on conflict (schema_name, table_name) do update set ignored_columns = excluded.ignored_columns;

  execute format('drop trigger if exists taskbell_capture on %I.%I', p_schema, p_table);
  execute format('drop trigger if exists taskbell_wake_up on %I.%I', p_schema, p_table);
  execute format(
    'create trigger taskbell_capture after insert or update or delete on %I.%I '
    'for each row execute function taskbell.capture(%s)', p_schema, p_table, v_arguments
  );
  execute format(
    'create trigger taskbell_wake_up after insert or update or delete on %I.%I '
    'for each statement execute function taskbell.wake_up()', p_schema, p_table
  );
end
$$;

revoke execute on function taskbell.capture() from public, anon, authenticated;
revoke execute on function taskbell.wake_up() from public, anon, authenticated;
revoke execute on function taskbell.watch(text, text, text[]) from public, anon, authenticated;

select taskbell.watch(
  'public', 'agent_tasks',
  array[
    'updated_at', 'output_data', 'started_at', 'completed_at', 'progress', 'last_heartbeat_at', 'locked_at'
  ]
);
