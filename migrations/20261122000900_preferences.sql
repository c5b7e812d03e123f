-- What each person wants to be told, and when.

alter table taskbell.preferences
add constraint preferences_quiet_hours_last check (quiet_from <> quiet_until);

-- The complete preferences of one person, defaults filled in; p is null where nothing was ever set.
create function taskbell.preferences_json(p taskbell.preferences)
returns jsonb
language sql immutable set search_path = ''
as $$
  select jsonb_build_object(
    'kinds', '{"draft_ready": true, "completed": true, "failed": true, "followup_due": true}'::jsonb
      || coalesce(p.kinds, '{}'),
    'agents', coalesce(p.agents, '{}'),
    'muted_contacts', to_jsonb(coalesce(p.muted_contacts, '{}')),
    'quiet_hours', case when p.quiet_from is not null then
      jsonb_build_object('from', to_char(p.quiet_from, 'HH24:MI'), 'until', to_char(p.quiet_until, 'HH24:MI'))
    end,
    'time_zone', coalesce(p.time_zone, 'UTC'),
    'language', coalesce(p.language, 'en'),
    'digest', coalesce(p.digest, true)
  )
$$;

-- JSON Merge Patch (RFC 7396): members of objects are merged, null takes one away, all else is replaced.
create function taskbell.merge_patch(p_target jsonb, p_patch jsonb)
returns jsonb
language sql immutable set search_path = ''
as $$
  select case when jsonb_typeof(p_patch) <> 'object' then p_patch else coalesce(
    (
      select jsonb_object_agg(
        key,
        case when n.value is null then o.value else taskbell.merge_patch(o.value, n.value) end
      )
      from jsonb_each(case when jsonb_typeof(p_target) = 'object' then p_target else '{}' end) o
      full join jsonb_each(p_patch) n using (key)
      where n.value is distinct from 'null'
    ),
    '{}'
  ) end
$$;

-- Changes what p_change names, the keys being those of the answer, and nothing else; null is the way back
-- to a default. Merged in one statement under the row's lock: two browsers that change different things at
-- once both have their way.
-- Raises 22023 for a time zone that Postgres does not know, 22007 for a time that is none, 23514 for quiet
-- hours that would lack an end or last no time, 54000 for more than 200 agents.
create function public.taskbell_change_preferences(p_user_id uuid, p_change jsonb)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_row taskbell.preferences;
begin
  insert into taskbell.preferences (user_id) values (p_user_id) on conflict do nothing;
  update taskbell.preferences p
  set (kinds, agents, muted_contacts, quiet_from, quiet_until, time_zone, language, digest, updated_at) = (
    select
      coalesce(m.kinds, '{}'),
      coalesce(m.agents, '{}'),
      coalesce(m.muted_contacts, '{}'),
      (m.quiet_hours ->> 'from')::time,
      (m.quiet_hours ->> 'until')::time,
      coalesce(m.time_zone, 'UTC'),
      coalesce(m.language, 'en'),
      coalesce(m.digest, true),
      now()
    from jsonb_to_record(taskbell.merge_patch(taskbell.preferences_json(p), p_change)) as m (
      kinds jsonb, agents jsonb, muted_contacts text [], quiet_hours jsonb,
      time_zone text, language text, digest boolean
    )
  )
  where p.user_id = p_user_id
  returning p.* into v_row;
  perform now() at time zone v_row.time_zone;
  if (select count(*) > 200 from jsonb_object_keys(v_row.agents)) then
    raise exception 'there are wishes for more than 200 agents' using errcode = '54000';
  end if;
  return taskbell.preferences_json(v_row);
end
$$;

create function public.taskbell_preferences(p_user_id uuid)
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select taskbell.preferences_json(p)
  from (select) as anyone
  left join taskbell.preferences p on p.user_id = p_user_id
$$;

revoke execute on function taskbell.preferences_json(taskbell.preferences) from public, anon, authenticated;
revoke execute on function taskbell.merge_patch(jsonb, jsonb) from public, anon, authenticated;
revoke execute on function public.taskbell_preferences(uuid) from public, anon, authenticated;
revoke execute on function public.taskbell_change_preferences(uuid, jsonb) from public, anon, authenticated;
grant execute on function public.taskbell_preferences(uuid) to service_role;
grant execute on function public.taskbell_change_preferences(uuid, jsonb) to service_role;
