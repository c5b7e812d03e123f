-- The private schema. Nothing in it is exposed through PostgREST; the doorway is the functions
-- public.taskbell_*.
create schema if not exists taskbell;
revoke all on schema taskbell from public;
grant usage on schema taskbell to authenticated, service_role;

comment on schema taskbell is
'Turns changes of agent_tasks into notifications. Private: call the functions public.taskbell_* instead.';

-- Which of the application's tables these migrations created, and which were there before and are left as
-- they are; and which of them we put into the publication supabase_realtime.
create table taskbell.application_tables (
  table_name text primary key,
  ours boolean not null,
  published boolean not null default false
);
alter table taskbell.application_tables enable row level security;

insert into taskbell.application_tables (table_name, ours)
select
  wanted.name,
  to_regclass('public.' || wanted.name) is null as ours
from unnest(array[
  'contacts', 'agents', 'agent_tasks',
  'agent_outreach_drafts', 'agent_followup_schedule', 'agent_activity_log'
]) as wanted (name);

-- Rows of an application table by the values of one column, whatever that column's type is: the reader's
-- own rights and policies hold. A table or column that is not there, or a value that cannot be of its type,
-- gives no rows.
create function taskbell.rows_where(p_table text, p_column text, p_values text[])
returns setof jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_type text := (
    select format_type(a.atttypid, a.atttypmod)
    from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('public.' || quote_ident(p_table))
      and a.attname = p_column and a.attnum > 0 and not a.attisdropped
  );
begin
  if v_type is null then
    return;
  end if;
  return query execute format(
    'select to_jsonb(t) from public.%I t where t.%I = any (($1)::%s[])', p_table, p_column, v_type
  ) using p_values;
exception
  when invalid_text_representation or numeric_value_out_of_range or cannot_coerce then
    return;
end
$$;
revoke execute on function taskbell.rows_where(text, text, text[]) from public, anon;
grant execute on function taskbell.rows_where(text, text, text[]) to authenticated, service_role;
