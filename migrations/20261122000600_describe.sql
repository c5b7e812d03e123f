-- The only two functions that know the application's columns. A project with other columns, or with teams,
-- replaces these two (create or replace, same arguments and results) and nothing else.

-- What a task's row says. No row, or no recipients, means that the task is nobody's business.
-- status: pending, in_progress, completed or failed; anything else is left out by whoever asks.
-- An error in here makes the event a dead letter that an operator sees and can send again.
create function taskbell.describe_task(record jsonb)
returns table (
  recipients uuid[], contact_id text, agent_id text, status text, changed_at timestamptz,
  agent_name text, has_draft boolean, failure text
)
language plpgsql stable set search_path = ''
as $$
declare
  v_input jsonb := record -> 'input_data';
  v_owner text := record ->> 'user_id';
  v_contact jsonb;
begin
  foreach v_contact in array array[v_input -> 'contactId', v_input -> 'contact_id'] loop
    if jsonb_typeof(v_contact) = 'object' then
      v_contact := v_contact -> 'id';
    end if;
    if jsonb_typeof(v_contact) = 'string' and trim(v_contact #>> '{}') <> '' then
      contact_id := lower(trim(v_contact #>> '{}'));
      exit;
    end if;
  end loop;

  recipients := array_remove(array[v_owner::uuid], null);
  agent_id := record ->> 'agent_id';
  status := record ->> 'status';
  changed_at := coalesce(record ->> 'updated_at', record ->> 'created_at');
  failure := record ->> 'error_message';

  -- A task may name any agent's id; only one that is everyone's or the owner's lends its name.
  begin
    select a.name into agent_name
    from public.agents a
    where a.id = (record ->> 'agent_id')::uuid and coalesce(a.user_id::text, v_owner) = v_owner;

    has_draft := status = 'completed' and exists (
      select from public.agent_outreach_drafts d
      where d.task_id = (record ->> 'id')::uuid and d.user_id::text = v_owner
    );
  exception
    when undefined_table or undefined_column or undefined_function or invalid_text_representation then
      -- A project's own tables, of which this version knows no more.
      has_draft := false;
  end;
  return next;
end
$$;

-- A contact's name for one recipient: '' if it has none, null if the recipient may not see the contact
-- (it is missing, deleted, or another user's). A signed-in user may call it, under their own policies.
create function taskbell.describe_contact(contact_id text, recipient uuid)
returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_name text;
begin
  select coalesce(c.name, '') into v_name
  from public.contacts c
  where c.id = contact_id::uuid
    and c.user_id = recipient
    and to_jsonb(c) ->> 'deleted_at' is null;
  return v_name;
exception
  when invalid_text_representation then
    return null;
end
$$;

revoke execute on function taskbell.describe_task(jsonb) from public, anon, authenticated;
revoke execute on function taskbell.describe_contact(text, uuid) from public, anon;
grant execute on function taskbell.describe_contact(text, uuid) to authenticated, service_role;
