"""What the database is asked: SQL that reads, one JSON value each.

Where something named in a question does not exist, the answer is null.
"""

QUESTIONS = {
    "now": "select to_jsonb(extract(epoch from clock_timestamp()))",
    "role": "select to_jsonb(current_user::text)",
    "migrations": "select jsonb_agg(version order by version) from supabase_migrations.schema_migrations",
    # Tables without row level security: the application's that we read, and all of our own.
    "open_tables": """
        select coalesce(jsonb_agg(format('%I.%I', n.nspname, c.relname) order by 1), '[]')
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relrowsecurity
          and (n.nspname = 'taskbell' or (
            n.nspname = 'public' and c.relname in (select table_name from taskbell.application_tables)))""",
    # tgenabled: O and A fire, D is disabled, R fires on replicas only.
    "triggers": """
        select jsonb_agg(jsonb_build_object(
          'table', format('%I.%I', s.schema_name, s.table_name), 'trigger', w.name,
          'exists', t.tgname is not null, 'fires', coalesce(t.tgenabled in ('O', 'A'), false)))
        from taskbell.sources s
        cross join (values ('taskbell_capture'), ('taskbell_wake_up')) w (name)
        left join pg_catalog.pg_trigger t
          on t.tgrelid = to_regclass(format('%I.%I', s.schema_name, s.table_name)) and t.tgname = w.name""",
    # Those that tell open pages of changed details; where a project has others, there are none.
    "silent_triggers": """
        select coalesce(jsonb_agg(jsonb_build_object('table', t.tgrelid::regclass::text, 'trigger', t.tgname)
          order by t.tgrelid::regclass::text, t.tgname), '[]')
        from pg_catalog.pg_trigger t
        where starts_with(t.tgname, 'taskbell_touch_') and t.tgenabled not in ('O', 'A')""",
    # What pages may listen to, as far as it is there.
    "unpublished": """
        select coalesce(jsonb_agg('public.' || t.name order by t.name), '[]')
        from unnest(array['agent_tasks', 'agent_outreach_drafts', 'agent_followup_schedule',
          'agent_activity_log']) t (name)
        where to_regclass('public.' || t.name) is not null
          and not exists (select from pg_catalog.pg_publication_tables p
            where p.pubname = 'supabase_realtime' and p.schemaname = 'public' and p.tablename = t.name)""",
    "live_channel": """
        select to_jsonb(exists (select from pg_catalog.pg_policies where schemaname = 'realtime'
          and tablename = 'messages' and policyname = 'taskbell: own live channel'))""",
    "secrets": """
        select coalesce(jsonb_object_agg(name, decrypted_secret), '{}') from vault.decrypted_secrets
        where name in ('taskbell_webhook_url', 'taskbell_webhook_secret', 'taskbell_sweep_url')""",
    "pg_net": """
        select to_jsonb(exists (select from pg_catalog.pg_proc p
          where p.pronamespace = to_regnamespace('net') and p.proname = 'http_post'))""",
    "clock": """
        select jsonb_agg(jsonb_build_object('schedule', schedule, 'active', active))
        from cron.job where jobname = 'taskbell'""",
    "last_run": """
        select jsonb_build_object('status', d.status,
          'seconds_ago', extract(epoch from now() - d.start_time))
        from cron.job j
        left join lateral (select status, start_time from cron.job_run_details d
          where d.jobid = j.jobid and d.status <> 'running' order by d.runid desc limit 1) d on true
        where j.jobname = 'taskbell' limit 1""",
    "status": "select public.taskbell_status()",
    "dead_deliveries": """
        select coalesce(jsonb_agg(x), '[]') from (
          select state, reason, status_code, count(*) as number from taskbell.deliveries
          where state in ('rejected', 'expired') and finished_at > now() - interval '7 days'
          group by 1, 2, 3 order by 4 desc) x""",
    "dead_events": """
        select coalesce(jsonb_agg(x), '[]') from (
          select reason, count(*) as number from taskbell.task_events where state = 'dead'
          group by 1 order by 2 desc) x""",
    "subscription_keys": """
        select coalesce(jsonb_object_agg(vapid_public_key, number), '{}') from (
          select vapid_public_key, count(*) as number from taskbell.subscriptions
          where retired_at is null group by 1) x""",
}

# The wake-up itself, signed by the database with what Vault holds and sent by pg_net: what a trigger does.
WAKE_UP = """
    select net.http_post(
      url := u.decrypted_secret, body := b.body, timeout_milliseconds := 5000,
      headers := taskbell.signed_headers(
        'doctor_' || extract(epoch from clock_timestamp())::bigint, clock_timestamp(), b.body,
        s.decrypted_secret))
    from vault.decrypted_secrets u, vault.decrypted_secrets s,
      (select jsonb_build_object('type', 'taskbell.wakeup', 'event_id', null)) b (body)
    where u.name = %s and s.name = 'taskbell_webhook_secret'"""

WAKE_UP_ANSWER = "select status_code, timed_out, content, error_msg from net._http_response where id = %s"
