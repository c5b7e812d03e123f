-- The page's questions about states. These run as the signed-in user, under row level security.

-- The states of the user's contacts, or {"changed": false} to whoever knows this version already.
create function public.taskbell_inbox(p_known_version bigint default null)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_version bigint := coalesce((select i.version from taskbell.inboxes i where i.user_id = v_user_id), 0);
begin
  if v_version = p_known_version then
    return jsonb_build_object('version', v_version, 'changed', false);
  end if;
  return (
    select jsonb_build_object(
      'version', v_version,
      'changed', true,
      'now', now(),
      'unseen', count(distinct s.contact_id) filter (where s.unseen),
      'states', coalesce(
        jsonb_agg(
          jsonb_build_object(
            'contact_id', s.contact_id,
            'contact_name', s.contact_name,
            'agent_id', nullif(s.agent_id, ''),
            'agent_name', s.agent_name,
            'task_id', s.task_id,
            'status', s.status,
            'reason', s.reason,
            'ready_at', s.ready_at,
            'changed_at', s.changed_at,
            'unseen', s.unseen,
            'event_id', s.event_id
          )
          order by s.changed_at desc, s.event_id desc
        ),
        '[]'
      )
    )
    from (
      select c.*, taskbell.describe_contact(c.contact_id, v_user_id) as contact_name
      from taskbell.contact_states c
      where c.user_id = v_user_id
    ) s
    where s.contact_name is not null
  );
end
$$;

-- All contacts and agents that the user sees, in the order of their names.
create function public.taskbell_contacts()
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
begin
  return jsonb_build_object(
    'contacts', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'id', c.record ->> 'id',
            'name', c.name,
            'email', c.record ->> 'email',
            'company', c.record ->> 'company'
          )
          order by lower(c.name), c.record ->> 'id'
        ),
        '[]'
      )
      from (
        select r.record, taskbell.describe_contact(r.record ->> 'id', v_user_id) as name
        from (select to_jsonb(t) as record from public.contacts t) r
      ) c
      where c.name is not null
    ),
    'agents', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'id', a.record ->> 'id', 'name', a.record ->> 'name', 'kind', a.record ->> 'kind'
          )
          order by lower(a.record ->> 'name'), a.record ->> 'id'
        ),
        '[]'
      )
      from (select to_jsonb(t) as record from public.agents t) a
      where coalesce(a.record ->> 'user_id', v_user_id::text) = v_user_id::text
    )
  );
end
$$;

revoke execute on function public.taskbell_inbox(bigint) from public, anon, service_role;
revoke execute on function public.taskbell_contacts() from public, anon, service_role;
grant execute on function public.taskbell_inbox(bigint) to authenticated;
grant execute on function public.taskbell_contacts() to authenticated;
