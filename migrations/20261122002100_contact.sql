-- One contact, as its page shows it: what agents do for it, wrote, plan and did. Runs as the signed-in user.

-- The tasks of a contact: those that are active first, then the 10 newest of the others.
create function taskbell.contact_tasks(p_contact_id text)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  with states as (
    select s.*, s.status in ('pending', 'in_progress') as active
    from taskbell.task_states s
    where s.user_id = (select auth.uid()) and s.contact_id = p_contact_id
  ),
  shown as (
    (select * from states where active order by event_id desc limit 50)
    union all
    (select * from states where not active order by event_id desc limit 10)
  )
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'id', s.task_id,
        'agent_id', nullif(s.agent_id, ''),
        'agent_name', s.agent_name,
        'task_type', t.record ->> 'task_type',
        'status', case s.status when 'draft_ready' then 'completed' else s.status end,
        'error', s.reason,
        'created_at', t.record -> 'created_at',
        'started_at', t.record -> 'started_at',
        'completed_at', t.record -> 'completed_at'
      )
      order by s.active desc, s.event_id desc
    ),
    '[]'
  )
  from shown s
  join taskbell.rows_where('agent_tasks', 'id', array(select task_id from shown)) as t (record)
    on t.record ->> 'id' = s.task_id
$$;

-- The newest rows of one of the application's tables about a contact, with these of their columns.
create function taskbell.contact_rows(
  p_table text, p_contact_id text, p_columns text[], p_order_by text, p_limit int
)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select coalesce(
    jsonb_agg(
      (select jsonb_object_agg(c, r.record -> c) from unnest(p_columns) c)
      order by r.record ->> p_order_by desc, r.record ->> 'id'
    ),
    '[]'
  )
  from (
    select w.record
    from taskbell.rows_where(p_table, 'contact_id', array[p_contact_id]) as w (record)
    order by w.record ->> p_order_by desc, w.record ->> 'id'
    limit p_limit
  ) r
$$;

create function public.taskbell_contact(p_contact_id text)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_name text := taskbell.describe_contact(p_contact_id, auth.uid());
  v_contact jsonb := (
    select r.record from taskbell.rows_where('contacts', 'id', array[p_contact_id]) as r (record)
  );
begin
  if v_name is null then
    return null;
  end if;
  return jsonb_build_object(
    'contact', jsonb_build_object(
      'id', p_contact_id, 'name', v_name, 'email', v_contact ->> 'email', 'company', v_contact ->> 'company'
    ),
    'tasks', taskbell.contact_tasks(p_contact_id),
    'drafts', taskbell.contact_rows(
      'agent_outreach_drafts', p_contact_id,
      '{id, agent_id, task_id, subject, body, status, created_at, updated_at}', 'created_at', 20
    ),
    'followups', taskbell.contact_rows(
      'agent_followup_schedule', p_contact_id,
      '{id, agent_id, scheduled_for, status, note}', 'scheduled_for', 20
    ),
    'activity', taskbell.contact_rows(
      'agent_activity_log', p_contact_id,
      '{id, agent_id, task_id, action, details, created_at}', 'created_at', 20
    )
  );
end
$$;

revoke execute on function taskbell.contact_tasks(text) from public, anon;
revoke execute on function taskbell.contact_rows(text, text, text[], text, int) from public, anon;
revoke execute on function public.taskbell_contact(text) from public, anon, service_role;
grant execute on function taskbell.contact_tasks(text) to authenticated;
grant execute on function taskbell.contact_rows(text, text, text[], text, int) to authenticated;
grant execute on function public.taskbell_contact(text) to authenticated;
