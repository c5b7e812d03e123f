"""Taking Taskbell out leaves the application as it was."""

from __future__ import annotations

from taskbell_local.migrate import MIGRATIONS, migrate
from tests.database.story import Story

UNINSTALL = MIGRATIONS.parent / "infra" / "supabase" / "uninstall.sql"
TABLES = """
select c.oid::regclass::text, c.relacl::text, c.relrowsecurity,
  array(select polname::text from pg_policy where polrelid = c.oid order by 1),
  array(select conname::text from pg_constraint where conrelid = c.oid order by 1)
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1
"""


def test_the_applications_tables_stay_as_they_are_and_nothing_of_ours_does(story: Story) -> None:
    task = story.new_task("failed")
    story.dispatch()
    before = story.database.execute(TABLES)
    story.database.execute("select vault.create_secret('whsec_', 'taskbell_webhook_secret')")
    uninstall(story)

    assert before == story.database.execute(TABLES)
    assert [(task,)] == story.database.execute("select id::text from public.agent_tasks")
    assert 0 == story.database.value("select count(*) from pg_namespace where nspname = 'taskbell'")
    assert 0 == story.database.value("select count(*) from pg_proc where proname like 'taskbell%%'")
    assert 0 == story.database.value("select count(*) from pg_trigger where tgname like 'taskbell%%'")
    assert 0 == story.database.value("select count(*) from pg_policy where polname like 'taskbell%%'")
    assert 0 == story.database.value("select count(*) from cron.job where jobname like 'taskbell%%'")
    story.set_task(task, status="completed")


def test_it_can_be_installed_again_and_works(story: Story) -> None:
    uninstall(story)
    assert [file.name for file in sorted(MIGRATIONS.glob("*.sql"))] == migrate(story.database.url)
    story.new_task("failed")
    story.dispatch()
    assert [("failed", True)] == story.states()


def uninstall(story: Story) -> None:
    with story.database.connect(autocommit=False) as connection:
        connection.execute(UNINSTALL.read_bytes())
