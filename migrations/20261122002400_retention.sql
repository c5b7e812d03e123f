-- Keeps the tables small, in bounded batches, and says whether the database is fit to serve.

-- Removes what has been finished for long: events, notifications with their deliveries, what is remembered
-- of tasks that are gone and of follow-ups that were raised, browsers that were retired. Never what is still
-- due. Call again while a count equals p_batch. What was found and locked is removed where it lies (ctid),
-- whatever the planner believes of a table that grew since it was last analysed.
create function public.taskbell_prune(
  p_older_than interval default interval '30 days', p_batch int default 1000, p_now timestamptz default now()
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_before timestamptz := p_now - p_older_than;
  v_events int;
  v_notifications int;
  v_tasks int;
  v_subscriptions int;
  v_followups int;
begin
  delete from taskbell.task_events e
  where e.ctid = any (array(
    select x.ctid from taskbell.task_events x
    where x.state <> 'due' and x.finished_at < v_before
    order by x.finished_at
    limit p_batch
    for update skip locked
  ));
  get diagnostics v_events = row_count;

  delete from taskbell.notifications n
  where n.ctid = any (array(
    select x.ctid from taskbell.notifications x
    where x.created_at < v_before
      and not exists (select from taskbell.deliveries d where d.notification_id = x.id and d.state = 'due')
    order by x.created_at
    limit p_batch
    for update skip locked
  ));
  get diagnostics v_notifications = row_count;

  delete from taskbell.tasks t
  where t.ctid = any (array(
    select x.ctid from taskbell.tasks x
    where x.gone and x.applied_at < v_before
    order by x.applied_at
    limit p_batch
    for update skip locked
  ));
  get diagnostics v_tasks = row_count;

  delete from taskbell.subscriptions s
  where s.ctid = any (array(
    select x.ctid from taskbell.subscriptions x
    where x.retired_at < v_before
    limit p_batch
    for update skip locked
  ));
  get diagnostics v_subscriptions = row_count;

  delete from taskbell.raised_followups r
  where r.ctid = any (array(
    select x.ctid from taskbell.raised_followups x
    -- What is younger than that would be raised again.
    where x.scheduled_for < least(v_before, p_now - interval '8 days')
    order by x.scheduled_for
    limit p_batch
    for update skip locked
  ));
  get diagnostics v_followups = row_count;

  begin
    -- pg_cron never forgets a run of its own accord.
    delete from cron.job_run_details r
    where r.end_time < p_now - interval '2 days'
      and r.jobid in (select j.jobid from cron.job j where j.jobname like 'taskbell%');
  exception
    when others then
      raise notice 'taskbell: the clock''s log was not pruned (%)', sqlstate;
  end;
  return jsonb_build_object(
    'events', v_events, 'notifications', v_notifications, 'tasks', v_tasks,
    'subscriptions', v_subscriptions, 'followups', v_followups
  );
end
$$;

create function public.taskbell_health()
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_migration text;
begin
  begin
    select max(m.version) into v_migration from supabase_migrations.schema_migrations m;
  exception
    when undefined_table or insufficient_privilege then
      v_migration := null;
  end;
  return jsonb_build_object('ok', true, 'migration', v_migration);
end
$$;

revoke execute on function public.taskbell_prune(interval, int, timestamptz) from public, anon, authenticated;
revoke execute on function public.taskbell_health() from public, anon, authenticated;
grant execute on function public.taskbell_prune(interval, int, timestamptz) to service_role;
grant execute on function public.taskbell_health() to service_role;
