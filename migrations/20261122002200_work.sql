-- What the user asks of agents. Runs as the signed-in user; what row level security hides is answered with
-- null.

-- Gives an agent a task for a contact. Whoever asks may name the task: asked twice, because the first answer
-- was lost, it is made once.
create function public.taskbell_assign(
  p_contact_id text, p_agent_id text, p_instructions text default null, p_task_id uuid default null
)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_agent jsonb := (
    select record
    from taskbell.rows_where('agents', 'id', array[p_agent_id]) as r (record)
    where coalesce(record ->> 'user_id', v_user_id::text) = v_user_id::text
  );
  v_task_id text;
begin
  if v_agent is null or taskbell.describe_contact(p_contact_id, v_user_id) is null then
    return null;
  end if;
  insert into public.agent_tasks (id, user_id, agent_id, task_type, input_data)
  values (
    coalesce(p_task_id, gen_random_uuid()),
    v_user_id,
    p_agent_id::uuid,
    coalesce(v_agent ->> 'kind', 'outreach'),
    jsonb_strip_nulls(jsonb_build_object('contactId', p_contact_id, 'instructions', p_instructions))
  )
  on conflict (id) do nothing
  returning id into v_task_id;
  if v_task_id is null then
    -- Made before, or the id is another's.
    v_task_id := (select t.id from public.agent_tasks t where t.id = p_task_id and t.user_id = v_user_id);
  end if;
  return case when v_task_id is not null then jsonb_build_object('task_id', v_task_id) end;
end
$$;

-- Approves or rejects a draft that was not sent yet.
create function public.taskbell_review_draft(p_draft_id text, p_status text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
declare
  v_id text;
begin
  if p_status is null or p_status not in ('approved', 'rejected') then
    raise exception 'a draft is approved or rejected' using errcode = '22023';
  end if;
  update public.agent_outreach_drafts d set status = p_status
  where d.id = p_draft_id::uuid and d.user_id = auth.uid() and d.status <> 'sent'
  returning d.id into v_id;
  return case when v_id is not null then jsonb_build_object('id', v_id, 'status', p_status) end;
exception
  when invalid_text_representation then
    return null;
end
$$;

-- Puts a failed task back in the queue. One that waits or runs already is what was asked for: whoever lost
-- the first answer asks again.
create function public.taskbell_retry_task(p_task_id text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
declare
  v_task_id uuid;
begin
  v_task_id := p_task_id::uuid;
  update public.agent_tasks t set status = 'pending', error_message = null
  where t.id = v_task_id and t.user_id = auth.uid() and t.status = 'failed';
  return (
    select jsonb_build_object('task_id', t.id, 'status', t.status)
    from public.agent_tasks t
    where t.id = v_task_id and t.user_id = auth.uid() and t.status in ('pending', 'in_progress')
  );
exception
  when invalid_text_representation then
    return null;
end
$$;

revoke execute on function public.taskbell_assign(text, text, text, uuid) from public, anon, service_role;
revoke execute on function public.taskbell_review_draft(text, text) from public, anon, service_role;
revoke execute on function public.taskbell_retry_task(text) from public, anon, service_role;
grant execute on function public.taskbell_assign(text, text, text, uuid) to authenticated;
grant execute on function public.taskbell_review_draft(text, text) to authenticated;
grant execute on function public.taskbell_retry_task(text) to authenticated;
