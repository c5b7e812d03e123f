"""An agent for show: it takes pending tasks, works a moment, and leaves a draft, or fails now and then.

In: pending rows of `agent_tasks`. Out: their status, drafts and activity, written in plain SQL, as any
application's agents do; it knows nothing of Taskbell. It touches those tables only. What an agent that died
had taken, it takes again after a minute.
"""

import asyncio
import json
import logging
import random
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

LOOK_SECONDS = 0.5
WORK_SECONDS = (2.0, 4.0)
FAILURES = ("The mailbox was full of cats", "No address to write to", "The model ran out of patience")
FAILURE_RATE = 0.15

TAKE = """
    update public.agent_tasks set status = 'in_progress', started_at = now(), updated_at = now()
    where id = (select id from public.agent_tasks
                where status = 'pending'
                    or (status = 'in_progress' and started_at < now() - interval '1 minute')
                order by created_at limit 1 for update skip locked)
    returning id::text, user_id::text, agent_id::text,
        coalesce(input_data ->> 'instructions', '') as instructions,
        coalesce(input_data ->> 'contactId', input_data ->> 'contact_id') as contact_id, task_type,
        (select name from public.contacts c where c.user_id = agent_tasks.user_id and c.id::text =
            coalesce(input_data ->> 'contactId', input_data ->> 'contact_id')) as contact_name"""
LOG = """
    insert into public.agent_activity_log (user_id, contact_id, agent_id, task_id, action, details)
    values (%s, %s, %s, %s, %s, %s)"""
DRAFT = """
    insert into public.agent_outreach_drafts (user_id, contact_id, agent_id, task_id, subject, body)
    values (%s, %s, %s, %s, %s, %s)"""
FINISH = """
    update public.agent_tasks
    set status = %s, error_message = %s, completed_at = now(), updated_at = now() where id = %s"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A task that was taken; `contact_name` is None where the contact is not the user's."""

    id: str
    user_id: str
    agent_id: str | None
    instructions: str
    contact_id: str | None
    task_type: str
    contact_name: str | None


async def work(database_url: str, chance: random.Random) -> None:
    """Work until cancelled, on several tasks at once."""
    async with asyncio.TaskGroup() as jobs:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
                    while True:
                        while (job := await _take(connection)) is not None:
                            jobs.create_task(_do(database_url, job, chance))
                        await asyncio.sleep(LOOK_SECONDS)
            except psycopg.Error:
                log.warning("demo agent: the database does not do its part; trying again")
                await asyncio.sleep(LOOK_SECONDS)


async def _take(connection: psycopg.AsyncConnection) -> Job | None:
    async with connection.cursor(row_factory=class_row(Job)) as cursor:
        await cursor.execute(TAKE)
        return await cursor.fetchone()


async def _do(database_url: str, job: Job, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(*WORK_SECONDS))
    failure = chance.choice(FAILURES) if chance.random() < FAILURE_RATE else None
    try:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            if job.contact_name is not None and failure is None:
                await connection.execute(DRAFT, [*_who(job), *_letter(job)])
            outcome = "completed" if failure is None else "failed"
            action = f"task_{outcome}" if failure or job.contact_name is None else "draft_created"
            await connection.execute(
                LOG, [*_who(job), action, json.dumps({"reason": failure} if failure else {})]
            )
            await connection.execute(FINISH, [outcome, failure, job.id])
    except psycopg.Error as error:  # the task or its user may be gone by now
        log.warning(
            "demo agent: task %s could not be finished (%s)", job.id, error.sqlstate or "no connection"
        )


def _who(job: Job) -> tuple[str | None, ...]:
    return job.user_id, job.contact_id if job.contact_name is not None else None, job.agent_id, job.id


def _letter(job: Job) -> tuple[str, str]:
    """Return a subject and a body."""
    first_name = (job.contact_name or "").split(" ")[0] or "friend"
    wish = f"\n\n({job.instructions})" if job.instructions else ""
    if job.task_type == "followup":
        return (
            "Following up",
            f"Dear {first_name},\n\nI wanted to ask whether my last letter reached you.{wish}",
        )
    return (
        f"Hello {first_name}",
        f"Dear {first_name},\n\nyour work caught our eye. Shall we talk this week?{wish}",
    )
