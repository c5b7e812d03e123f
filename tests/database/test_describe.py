"""A project with other columns, and with teams, replaces the two describing functions and nothing else."""

from __future__ import annotations

from tests.database.story import Story, decision

OTHER_PROJECT = """
create table public.people (person_no bigint primary key, full_name text, team uuid[]);
create table public.jobs (
  id bigint generated always as identity primary key,
  team uuid[], about bigint, robot text, state text, error text
);
select taskbell.watch('public', 'jobs', '{}');

create or replace function taskbell.describe_task(record jsonb)
returns table (
  recipients uuid[], contact_id text, agent_id text, status text, changed_at timestamptz,
  agent_name text, has_draft boolean, failure text
)
language sql stable set search_path = ''
as $$
  select
    array(select jsonb_array_elements_text(record -> 'team'))::uuid[], record ->> 'about', record ->> 'robot',
    case record ->> 'state' when 'ok' then 'completed' when 'broken' then 'failed' else 'pending' end,
    null::timestamptz, record ->> 'robot', false, record ->> 'error'
$$;

create or replace function taskbell.describe_contact(contact_id text, recipient uuid)
returns text
language sql stable set search_path = ''
as $$
  select p.full_name from public.people p where p.person_no = contact_id::bigint and recipient = any (p.team)
$$;
grant select on public.people to authenticated;
"""


def test_another_table_with_other_columns_and_two_recipients(story: Story) -> None:
    story.database.execute(OTHER_PROJECT)
    ann, ben, eve = (story.database.user() for _ in range(3))
    for person in (ann, ben, eve):
        story.subscribe(person)
    story.database.execute("insert into public.people values (7, 'Ada Lovelace', %s::uuid[])", [ann, ben])
    job = story.database.value(
        "insert into public.jobs (team, about, robot, state) values (%s::uuid[], 7, 'R2', 'ok') "
        "returning id::text",
        [ann, ben],
    )
    applied = story.dispatch()
    assert 2 == applied["notified"]
    assert ["Finished Ada Lovelace"] * 2 == [d["notification"]["title"] for d in applied["deliveries"]]
    assert {ann, ben} == {d["notification"]["user_id"] for d in applied["deliveries"]}
    assert ([("completed", True)], [("completed", True)], []) == tuple(map(story.states, (ann, ben, eve)))

    story.database.execute("update public.jobs set team = %s::uuid[] where true", [ben, eve])
    again = story.dispatch()
    assert (1, [eve]) == (again["notified"], [d["notification"]["user_id"] for d in again["deliveries"]])
    assert (
        again["deliveries"][0]["notification"]["contact_name"] is None
    )  # eve is on the job, not on the contact
    assert ([], [("completed", True)], []) == tuple(map(story.states, (ann, ben, eve)))
    assert [("done", None), ("done", None)] == story.event_reasons(job)


def test_nothing_late_rings_for_one_who_left_before_the_first_event_was_applied(story: Story) -> None:
    story.database.execute(OTHER_PROJECT)
    ann, ben = story.database.user(), story.database.user()
    story.database.execute("insert into public.jobs (team, state) values (%s::uuid[], 'ok')", [ann])

    early = story.claim()["events"]
    story.database.execute("update public.jobs set team = %s::uuid[] where true", [ben])
    story.dispatch()
    assert 1 == story.apply([decision(event) for event in early])["superseded"]
    assert [(ben,)] == story.database.execute("select user_id::text from taskbell.task_states")


def test_a_describe_contact_that_fails_makes_dead_letters_and_stops_nothing_that_is_on_its_way(
    story: Story,
) -> None:
    story.subscribe()
    story.new_task("failed")
    decisions_before = story.claim()["events"]

    story.database.execute(
        "create or replace function taskbell.describe_contact(contact_id text, recipient uuid) returns text "
        "language plpgsql stable set search_path = '' as $$ begin return 1 / 0; end $$"
    )
    [delivery] = story.apply([decision(event) for event in decisions_before])["deliveries"]
    assert 1 == delivery["app_badge"]
    task = story.new_task("failed")
    assert [] == story.claim()["events"]
    assert [("dead", "describe_failed:22012")] == story.event_reasons(task)
