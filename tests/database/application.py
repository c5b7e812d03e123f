"""An application that has such tables already, with keys, columns and policies of its own.

And everything that can be said of its tables, to tell whether anything about them has changed.
"""

from __future__ import annotations

from typing import Any

from tests.database.database import Database

EXISTING = """
create table public.contacts (no bigint primary key, full_name text);
create table public.agents (name text primary key);
create table public.agent_tasks (
  no bigint generated always as identity primary key, owner text, state text,
  contact bigint references public.contacts
);
create table public.agent_outreach_drafts (words text);
create table public.agent_followup_schedule (at date primary key);
create table public.agent_activity_log (line text);
create index their_index on public.agent_tasks (owner);
comment on table public.contacts is 'theirs';
alter table public.contacts enable row level security;
create policy theirs on public.contacts for select to anon using (no > 0);
grant select on public.contacts to anon;
grant update (state) on public.agent_tasks to authenticated;
create function public.theirs() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger theirs before update on public.agent_tasks for each row execute function public.theirs();
alter publication supabase_realtime add table public.contacts, public.agent_followup_schedule;
insert into public.contacts values (7, 'Ada Lovelace');
insert into public.agents values ('Outreach');
insert into public.agent_tasks (owner, state, contact) values ('ann', 'done', 7), ('bob', 'waiting', null);
insert into public.agent_outreach_drafts values ('Dear Ada');
insert into public.agent_followup_schedule values ('2026-01-02');
insert into public.agent_activity_log values ('written');
"""

TABLES = (
    *("contacts", "agents", "agent_tasks"),
    *("agent_outreach_drafts", "agent_followup_schedule", "agent_activity_log"),
)

_LAID_OUT = """
select c.relname, c.relowner::regrole::text, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
  c.relacl::text, obj_description(c.oid, 'pg_class'),
  array(select concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attacl,
                         (select pg_get_expr(adbin, adrelid) from pg_attrdef
                          where adrelid = attrelid and adnum = attnum))
        from pg_attribute where attrelid = c.oid and attnum > 0 order by attnum),
  array(select pg_get_indexdef(indexrelid) from pg_index where indrelid = c.oid order by 1),
  array(select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
        where conrelid = c.oid order by 1),
  array(select concat_ws(' ', polname, polcmd, polroles::regrole[], pg_get_expr(polqual, polrelid))
        from pg_policy where polrelid = c.oid order by 1),
  array(select pg_get_triggerdef(oid) || tgenabled::text from pg_trigger
        where tgrelid = c.oid and not tgisinternal and not (%s and tgname like 'taskbell%%') order by 1)
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'S') order by 1
"""
_PUBLISHED = "select tablename from pg_publication_tables where pubname = 'supabase_realtime' order by 1"


def laid_out(database: Database, *, but_our_triggers: bool = False) -> list[tuple[Any, ...]]:
    """Everything that the catalogs say of the tables in public, and every row in them."""
    rows = [
        (table, database.execute(f"select to_jsonb(t)::text, ctid::text, xmin::text from public.{table} t"))  # noqa: S608
        for table in TABLES
    ]
    return [*database.execute(_LAID_OUT, but_our_triggers), *rows]


def published(database: Database) -> list[str]:
    """The tables whose changes Realtime tells."""
    return [table for (table,) in database.execute(_PUBLISHED)]
