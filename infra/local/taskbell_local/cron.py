"""Runs the jobs of `cron.job`: what pg_cron's background worker does on Supabase.

In: rows of `cron.job`. Out: their commands, run as the role that scheduled them, and rows of
`cron.job_run_details`. It touches the database only. As with pg_cron, a job that still runs is not started
again.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import psycopg

TICK_SECONDS = 1.0
KEEP_RUNS = "1 day"
JOBS = "select jobid, schedule, command, username from cron.job where active"
BEGIN = """
    insert into cron.job_run_details (jobid, database, username, command, status, start_time)
    values (%s, current_database(), %s, %s, 'running', clock_timestamp()) returning runid"""
END = """
    update cron.job_run_details
    set status = %s, return_message = %s, end_time = clock_timestamp() where runid = %s"""
PRUNE = "delete from cron.job_run_details where start_time < now() - %s::interval"

log = logging.getLogger(__name__)


class ScheduleError(ValueError):
    """A schedule that neither says `N seconds` nor has five fields as crontab(5) has them."""

    reason = "bad_schedule"


def is_due(schedule: str, last: datetime | None, now: datetime) -> bool:
    """Tell whether a job is due at `now` that ran last at `last`; raises ScheduleError.

    `N seconds` (1 to 59) counts from the last run; five fields name minutes of the clock, in UTC.
    """
    words = schedule.split()
    if len(words) == 2 and words[1] in {"second", "seconds"} and words[0].isdigit():
        return last is None or (now - last).total_seconds() >= int(words[0]) - TICK_SECONDS / 2
    if len(words) != 5:
        raise ScheduleError(schedule)
    if last is not None and last.replace(second=0, microsecond=0) == now.replace(second=0, microsecond=0):
        return False
    minute, hour, day, month, weekday = words
    day_fits = _fits(day, now.day, 1, 31)
    weekday_fits = _fits(weekday, now.isoweekday() % 7, 0, 7) or _fits(weekday, now.isoweekday(), 0, 7)
    # crontab(5): with both restricted, either is enough.
    date_fits = day_fits or weekday_fits if "*" not in {day[0], weekday[0]} else day_fits and weekday_fits
    return (
        _fits(minute, now.minute, 0, 59)
        and _fits(hour, now.hour, 0, 23)
        and _fits(month, now.month, 1, 12)
        and date_fits
    )


def _fits(field: str, value: int, lowest: int, highest: int) -> bool:
    """Tell whether a field such as `*`, `*/15`, `1-5` or `0,30` names the value."""
    try:
        for part in field.split(","):
            span, _, step = part.partition("/")
            first, _, last = (f"{lowest}-{highest}" if span == "*" else span).partition("-")
            end = int(last) if last else (highest if step else int(first))
            if value in range(int(first), end + 1, int(step or 1)):
                return True
    except ValueError as error:
        raise ScheduleError(field) from error
    return False


async def run_jobs(urls: Mapping[str, str]) -> None:
    """Run due jobs until cancelled; `urls` maps each role that may have jobs to its database URL."""
    last: dict[int, datetime] = {}
    running: dict[int, asyncio.Task[None]] = {}
    try:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    urls["postgres"], autocommit=True
                ) as connection:
                    while True:
                        jobs = await (await connection.execute(JOBS)).fetchall()
                        for job in _due(jobs, last, running, datetime.now(UTC)):
                            running[job[0]] = asyncio.create_task(_run(urls, *job))
                        await asyncio.sleep(TICK_SECONDS)
            except psycopg.Error:
                log.warning("cron: the database does not do its part; trying again")
                await asyncio.sleep(TICK_SECONDS)
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


def _due(
    jobs: list[tuple[int, str, str, str]],
    last: dict[int, datetime],
    running: Mapping[int, "asyncio.Task[None]"],
    now: datetime,
) -> Iterator[tuple[int, str, str]]:
    for job, schedule, command, role in jobs:
        if job in running and not running[job].done():
            continue
        try:
            due = is_due(schedule, last.get(job), now)
        except ScheduleError:
            log.warning("cron: the schedule of job %s cannot be read: %s", job, schedule)
            continue
        if due:
            last[job] = now
            yield job, command, role


async def _run(urls: Mapping[str, str], job: int, command: str, role: str) -> None:
    try:
        async with await psycopg.AsyncConnection.connect(urls[role], autocommit=True) as connection:
            await connection.execute(PRUNE, [KEEP_RUNS])
            row = await (await connection.execute(BEGIN, [job, role, command])).fetchone()
            try:
                done = await connection.execute(command.encode())
                status, message = "succeeded", done.statusmessage
            except psycopg.Error as error:
                status, message = "failed", error.diag.message_primary
            await connection.execute(END, [status, message, row and row[0]])
    except KeyError:
        log.warning("cron: job %s is of role %s, which cannot log in here", job, role)
    except psycopg.Error:
        log.warning("cron: job %s lost the database; it runs again when it is next due", job)
