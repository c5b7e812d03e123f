"""The stand-in for pg_cron's worker: when a job is due, as whom it runs, and how it ended."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from taskbell_local.cron import ScheduleError, is_due, run_jobs
from tests.database.database import Database

SECONDS = 20
NOON = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("schedule", "last", "due"),
    [
        ("15 seconds", None, True),
        ("15 seconds", NOON - timedelta(seconds=14), False),
        ("15 seconds", NOON - timedelta(seconds=15), True),
        ("* * * * *", None, True),
        ("* * * * *", NOON - timedelta(seconds=3), False),
        ("* * * * *", NOON - timedelta(minutes=1), True),
        ("0 12 * * *", None, True),
        ("1 12 * * *", None, False),
        ("*/30 10-14 * * *", None, True),
        ("*/7 * * * *", None, True),
        ("5/10 * * * *", None, False),
        ("0 12 22 11 *", None, True),
        ("0 12 23 * *", None, False),
        ("0 12 * * 0", None, True),
        ("0 12 * * 7", None, True),
        ("0 12 * * 1-5", None, False),
        ("0 12 1 * 0", None, True),
        ("0,15 12 * 10,11 *", None, True),
    ],
)
def test_a_job_is_due_when_its_schedule_says_so(schedule: str, last: datetime | None, due: bool) -> None:
    assert is_due(schedule, last, NOON) is due


@pytest.mark.parametrize("schedule", ["", "soon", "* * *", "x * * * *", "99999999 hours", "1-x * * * *"])
def test_a_schedule_that_cannot_be_read_is_refused(schedule: str) -> None:
    with pytest.raises(ScheduleError):
        is_due(schedule, None, NOON)


def test_jobs_run_as_their_owner_and_a_failing_one_is_noted_and_hurts_no_other(database: Database) -> None:
    database.execute("select cron.unschedule(jobname) from cron.job")
    database.execute("create table ran (who name)")
    database.execute("select cron.schedule('good', '1 seconds', 'insert into ran values (current_user)')")
    database.execute("select cron.schedule('bad', '1 seconds', 'select 1 / 0')")
    database.execute("select cron.schedule('unreadable', 'soon', 'select 1')")

    async def story() -> None:
        task = asyncio.create_task(run_jobs({"postgres": database.url}))
        async with (
            asyncio.timeout(SECONDS),
            await psycopg.AsyncConnection.connect(database.url, autocommit=True) as reader,
        ):
            ended = "select count(distinct jobid) = 2 from cron.job_run_details where end_time is not null"
            while (await (await reader.execute(ended)).fetchone()) != (True,):  # noqa: ASYNC110  # a table tells nobody
                await asyncio.sleep(0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert database.execute("select distinct who from ran") == [("postgres",)]
    assert database.execute("""
        select distinct jobname, status, return_message from cron.job_run_details join cron.job using (jobid)
        where end_time is not null order by jobname""") == [
        ("bad", "failed", "division by zero"),
        ("good", "succeeded", "INSERT 0 1"),
    ]
