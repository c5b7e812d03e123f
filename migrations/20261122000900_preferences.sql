-- What each person wants to be told, and when.

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

create function public.taskbell_preferences(p_user_id uuid)
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select taskbell.preferences_json(p)
  from (select) as anyone
  left join taskbell.preferences p on p.user_id = p_user_id
$$;

-- Replaces them all; what is left out goes back to its default. The keys are those of the answer.
-- Raises 22023 for a time zone that Postgres does not know, 22007 for a time that is none.
create function public.taskbell_set_preferences(p_user_id uuid, p_preferences jsonb)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_quiet jsonb := nullif(p_preferences -> 'quiet_hours', 'null');
  v_row taskbell.preferences;
begin
  perform now() at time zone coalesce(p_preferences ->> 'time_zone', 'UTC');
  insert into taskbell.preferences as p (
    user_id, kinds, agents, muted_contacts, quiet_from, quiet_until, time_zone, language, digest
  )
  values (
    p_user_id,
    coalesce(nullif(p_preferences -> 'kinds', 'null'), '{}'),
    coalesce(nullif(p_preferences -> 'agents', 'null'), '{}'),
    array(
      select jsonb_array_elements_text(coalesce(nullif(p_preferences -> 'muted_contacts', 'null'), '[]'))
    ),
    (v_quiet ->> 'from')::time,
    (v_quiet ->> 'until')::time,
    coalesce(p_preferences ->> 'time_zone', 'UTC'),
    coalesce(p_preferences ->> 'language', 'en'),
    coalesce((p_preferences ->> 'digest')::boolean, true)
  )
  on conflict (user_id) do update set
    kinds = excluded.kinds,
    agents = excluded.agents,
    muted_contacts = excluded.muted_contacts,
    quiet_from = excluded.quiet_from,
    quiet_until = excluded.quiet_until,
    time_zone = excluded.time_zone,
    language = excluded.language,
    digest = excluded.digest,
    updated_at = now()
  returning p.* into v_row;
  return taskbell.preferences_json(v_row);
end
$$;

revoke execute on function taskbell.preferences_json(taskbell.preferences) from public, anon, authenticated;
revoke execute on function public.taskbell_preferences(uuid) from public, anon, authenticated;
revoke execute on function public.taskbell_set_preferences(uuid, jsonb) from public, anon, authenticated;
grant execute on function public.taskbell_preferences(uuid) to service_role;
grant execute on function public.taskbell_set_preferences(uuid, jsonb) to service_role;
