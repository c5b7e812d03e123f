-- Apply, second part: the states. The caller holds the locks on the tasks and the inboxes.

-- What was decided about one event for one recipient. No status: the task is gone for this recipient.
-- same: the task already stood like this, and the recipient was told when it came to.
create type taskbell.verdict as (
  event_id bigint,
  task_id text,
  occurred_at timestamptz,
  user_id uuid,
  contact_id text,
  agent_id text,
  agent_name text,
  status text,
  reason text,
  notification jsonb,
  same boolean
);

create type taskbell.contact_key as (user_id uuid, contact_id text, agent_id text);

-- Whether between two events of a task there is one by which it stood differently: then it came back to
-- this status, which is news, even if that event itself arrives later. What cannot be described counts as
-- different.
create function taskbell.left_between(p_task_id text, p_after bigint, p_before bigint, p_status text)
returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return exists (
    select
    from taskbell.task_events e
    left join lateral (select * from taskbell.describe_task(e.record) limit 1) d on true
    where e.task_id = p_task_id and e.id > p_after and e.id < p_before
      and (
        e.operation = 'DELETE'
        or d.status is distinct from case p_status when 'draft_ready' then 'completed' else p_status end
      )
  );
exception
  when others then
    return true;
end
$$;

create function taskbell.verdicts(p_decisions jsonb, p_event_ids bigint[])
returns taskbell.verdict[]
language plpgsql set search_path = ''
as $$
begin
  return (
    select coalesce(
      array_agg(
        (
          e.id, e.task_id, e.occurred_at, r.user_id, coalesce(r.contact_id, ''), coalesce(r.agent_id, ''),
          r.agent_name, r.status, r.reason, nullif(r.notification, 'null'), false
        )::taskbell.verdict
        order by e.id, r.user_id
      ),
      '{}'
    )
    from unnest(p_event_ids) as won (event_id)
    join jsonb_to_recordset(p_decisions) as d (event_id bigint, recipients jsonb) on d.event_id = won.event_id
    cross join lateral (select * from taskbell.task_events x where x.id = won.event_id offset 0) e
    cross join lateral (
      select distinct on (x.user_id) x.*
      from jsonb_to_recordset(d.recipients) as x (
        user_id uuid, contact_id text, agent_id text, agent_name text, status text, reason text,
        notification jsonb
      )
      order by x.user_id
    ) r
    cross join lateral (select from auth.users x where x.id = r.user_id offset 0) u
  );
end
$$;

-- Marks the verdicts that are no news, by the states as they are now.
create function taskbell.compared(p_verdicts taskbell.verdict[])
returns taskbell.verdict[]
language plpgsql set search_path = ''
as $$
begin
  return (
    select coalesce(
      array_agg(
        (
          v.event_id, v.task_id, v.occurred_at, v.user_id, v.contact_id, v.agent_id, v.agent_name,
          v.status, v.reason, v.notification,
          case when s.task_id is null then false else not taskbell.left_between(
            v.task_id, s.event_id, v.event_id, v.status
          ) end
        )::taskbell.verdict
        order by v.event_id, v.user_id
      ),
      '{}'
    )
    from unnest(p_verdicts) v
    left join lateral (
      select * from taskbell.task_states x where x.task_id = v.task_id and x.user_id = v.user_id offset 0
    ) s on s.status = v.status and s.contact_id = v.contact_id and s.agent_id = v.agent_id
  );
end
$$;

-- Brings the contact states of these keys in line with the task states.
create function taskbell.recompute_contact_states(p_keys taskbell.contact_key[])
returns void
language plpgsql set search_path = ''
as $$
declare
  v_left taskbell.contact_key[] := array(
    select k
    from unnest(p_keys) k
    left join lateral (
      select true as there
      from taskbell.task_states x
      where x.user_id = k.user_id and x.contact_id = k.contact_id and x.agent_id = k.agent_id
      order by x.event_id desc
      limit 1
    ) s on true
    where s.there is null
  );
begin
  if cardinality(v_left) > 0 then
    delete from taskbell.contact_states c
    using unnest(v_left) k
    where c.user_id = k.user_id and c.contact_id = k.contact_id and c.agent_id = k.agent_id;
  end if;

  insert into taskbell.contact_states as c (
    user_id, contact_id, agent_id, task_id, status, reason, agent_name, event_id, ready_at, changed_at, unseen
  )
  select
    s.user_id, s.contact_id, s.agent_id, s.task_id, s.status, s.reason, s.agent_name, s.event_id,
    case when s.status in ('draft_ready', 'completed') then s.reached_at end,
    s.reached_at,
    s.status in ('draft_ready', 'completed', 'failed')
      and s.reached_event_id > coalesce(
        (
          select o.seen_event_id from taskbell.contact_states o
          where o.user_id = k.user_id and o.contact_id = k.contact_id and o.agent_id = k.agent_id
        ),
        0
      )
  from unnest(p_keys) k
  cross join lateral (
    select * from taskbell.task_states t
    where t.user_id = k.user_id and t.contact_id = k.contact_id and t.agent_id = k.agent_id
    order by t.event_id desc
    limit 1
  ) s
  on conflict (user_id, contact_id, agent_id) do update set
    task_id = excluded.task_id,
    status = excluded.status,
    reason = excluded.reason,
    agent_name = excluded.agent_name,
    event_id = excluded.event_id,
    ready_at = excluded.ready_at,
    changed_at = excluded.changed_at,
    unseen = excluded.unseen;
end
$$;

revoke execute on function taskbell.left_between(text, bigint, bigint, text) from public, anon, authenticated;
revoke execute on function taskbell.verdicts(jsonb, bigint[]) from public, anon, authenticated;
revoke execute on function taskbell.compared(taskbell.verdict[]) from public, anon, authenticated;
revoke execute on function taskbell.recompute_contact_states(taskbell.contact_key[])
from public, anon, authenticated;
