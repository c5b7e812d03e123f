-- The clock: every 15 seconds a look at four indexes, and a wake-up only if something is due. So a lost
-- webhook, an expired lease, a retry, quiet hours that have ended, or a follow-up that has fallen due cost
-- seconds and nothing else.
do $$
begin
  if exists (select from pg_catalog.pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
  end if;
exception
  when others then
    raise notice 'taskbell: no pg_cron (% %); something else must call the sweep', sqlstate, sqlerrm;
end
$$;

-- True if a wake-up was queued.
create function taskbell.wake_if_due(p_now timestamptz default now())
returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  v_event_id bigint;
begin
  begin
    perform taskbell.raise_due_followups(p_now);
  exception
    when others then
      -- The schedule is the application's; a mistake in it must not stop the clock.
      raise warning 'taskbell: follow-ups were not raised (%)', sqlstate;
  end;
  v_event_id := (
    select e.id from taskbell.task_events e
    where e.state = 'due' and e.due_at <= p_now
    order by e.due_at, e.id
    limit 1
  );
  if v_event_id is null
    and not exists (select from taskbell.deliveries d where d.state = 'due' and d.due_at <= p_now)
    and (select t.id from taskbell.touched t order by t.id limit 1) is null
  then
    return false;
  end if;
  return taskbell.send_wake_up(
    'sweep_' || extract(epoch from clock_timestamp())::bigint, v_event_id,
    array['taskbell_sweep_url', 'taskbell_webhook_url']
  );
end
$$;
revoke execute on function taskbell.wake_if_due(timestamptz) from public, anon, authenticated;

do $$
begin
  begin
    perform cron.schedule('taskbell', '15 seconds', 'select taskbell.wake_if_due()');
  exception
    when others then
      -- pg_cron before 1.5 knows no seconds.
      perform cron.schedule('taskbell', '* * * * *', 'select taskbell.wake_if_due()');
  end;
  perform cron.schedule('taskbell-prune', '*/15 * * * *', 'select public.taskbell_prune(p_batch => 5000)');
exception
  when others then
    raise notice 'taskbell: no clock (% %); something else must call the sweep', sqlstate, sqlerrm;
end
$$;
