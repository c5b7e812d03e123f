-- What a decision about an event needs to know, joined here so that deciding needs no further question.

-- Events as JSON, in the order of their ids. Fails as a whole if describe_* fails for any of them.
-- json and not jsonb: it is only passed on, and to build a tree and write it out again would cost twice as
-- much.
create function taskbell.event_contexts(p_event_ids bigint[], p_now timestamptz)
returns json
language plpgsql stable set search_path = ''
as $$
begin
  return (
    with described as materialized (
      select
        e.id, e.task_id, e.operation, e.occurred_at, e.attempts,
        d.agent_name, d.has_draft, d.failure, d.status, d.changed_at,
        -- A follow-up that was done or put off since it was raised is no news any more.
        case
          when e.source <> 'schedule' or exists (
            select
            from taskbell.rows_where(
              'agent_followup_schedule', 'id', array[substr(e.record ->> 'id', length('followup:') + 1)]
            ) f
            where f ->> 'status' = 'scheduled'
              and (f ->> 'scheduled_for')::timestamptz = (e.record ->> 'updated_at')::timestamptz
          ) then d.recipients
        end as recipients,
        -- Longer ids are no ids, and no index would take them.
        case when length(d.contact_id) between 1 and 200 then d.contact_id end as contact_id,
        case when length(d.agent_id) between 1 and 200 then d.agent_id end as agent_id
      from taskbell.task_events e
      left join lateral (select * from taskbell.describe_task(e.record) limit 1) d on true
      where e.id = any (p_event_ids)
    ),
    -- Most people have never set any.
    defaults as materialized (select taskbell.preferences_json(null)::json as preferences),
    recipients as (
      select
        d.id,
        json_agg(
          json_build_object(
            'user_id', u.id,
            'contact_name', case
              when d.contact_id is not null then taskbell.describe_contact(d.contact_id, u.id)
            end,
            'preferences', coalesce(p.preferences, (select d.preferences from defaults d)),
            'recent_count', recent.notifications,
            'recent_since', recent.since
          )
          order by u.id
        ) as people
      from described d
      cross join lateral (select distinct r.id from unnest(d.recipients) as r (id)) r
      cross join lateral (select x.id from auth.users x where x.id = r.id offset 0) u
      left join lateral (
        select taskbell.preferences_json(x)::json as preferences
        from taskbell.preferences x
        where x.user_id = u.id
        offset 0
      ) p on true
      cross join lateral (
        select count(*) as notifications, min(n.created_at) as since
        from taskbell.notifications n
        where n.user_id = u.id
          -- Both columns at once: in a burst, an index of the times alone would find everybody's.
          and (n.user_id, n.created_at) > (u.id, p_now - interval '60 seconds')
          and n.kind <> 'test'
      ) recent
      group by d.id
    )
    select coalesce(
      json_agg(
        json_build_object(
          'id', d.id,
          'task_id', d.task_id,
          'operation', d.operation,
          'occurred_at', d.occurred_at,
          'attempt', d.attempts,
          'task', json_build_object(
            'status', d.status,
            'contact_id', d.contact_id,
            'agent_id', d.agent_id,
            'agent_name', d.agent_name,
            'has_draft', coalesce(d.has_draft, false),
            'failure', d.failure,
            'changed_at', d.changed_at
          ),
          'recipients', coalesce(r.people, '[]')
        )
        order by d.id
      ),
      '[]'
    )
    from described d
    left join recipients r on r.id = d.id
  );
end
$$;

-- The same, one at a time: an event that cannot be described becomes a dead letter, and the others go on.
create function taskbell.event_contexts_one_by_one(p_event_ids bigint[], p_now timestamptz)
returns json
language plpgsql set search_path = ''
as $$
declare
  v_events jsonb := '[]';
  v_id bigint;
begin
  foreach v_id in array p_event_ids loop
    begin
      v_events := v_events || taskbell.event_contexts(array[v_id], p_now)::jsonb;
    exception
      when others then
        update taskbell.task_events set
          state = 'dead', reason = 'describe_failed:' || sqlstate, finished_at = p_now
        where id = v_id;
    end;
  end loop;
  return v_events;
end
$$;

revoke execute on function taskbell.event_contexts(bigint[], timestamptz) from public, anon, authenticated;
revoke execute on function taskbell.event_contexts_one_by_one(bigint[], timestamptz)
from public, anon, authenticated;
