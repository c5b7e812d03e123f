"""Where webhooks made in the dashboard are all there is, they may come in any order, twice, or not at all."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.model_fold import Version, fold
from tests.database.story import Story

RUNS = int(os.environ.get("MODEL_RUNS", "30"))

Webhook = tuple[Version, dict[str, Any]]

histories = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["pending", "in_progress", "completed", "failed"]), min_size=1, max_size=4),
        st.booleans(),
    ),
    min_size=1,
    max_size=2,
)


@pytest.mark.slow
@settings(max_examples=RUNS, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories=histories, data=st.data())
def test_the_newest_version_that_was_told_is_shown(
    story: Story, histories: list[tuple[list[str], bool]], data: st.DataObject
) -> None:
    story.database.execute("alter table public.agent_tasks disable trigger taskbell_capture")
    contact = story.new_contact()
    webhooks: list[Webhook] = []
    for statuses, deleted in histories:
        webhooks += history(story, contact, statuses, deleted, first=len(webhooks))
    told = data.draw(st.lists(st.sampled_from(webhooks), max_size=2 * len(webhooks)), label="told")
    for _, payload in told:
        answer = story.database.rpc("taskbell_record", p_payload=payload)
        assert answer["recorded"] or answer["reason"] in ("duplicate", "superseded", "unchanged")
        if data.draw(st.booleans(), label="dispatched"):
            story.dispatch()
    story.dispatch()
    expected = newest_of_each(told)
    actual = story.database.execute(
        "select task_id, status from taskbell.task_states where contact_id = %s", contact
    )
    assert expected == dict(actual)


def history(story: Story, contact: str, statuses: list[str], deleted: bool, *, first: int) -> list[Webhook]:
    """Live a task's life, and return each version with the webhook that tells it."""
    task = story.new_task(statuses[0], input_data={"contactId": contact})
    webhooks: list[Webhook] = []
    old: dict[str, Any] | None = None
    for status in statuses:
        if old is not None:
            story.set_task(task, status=status)
        record = row(story, task)
        if old is None or old["status"] != status:
            operation = "INSERT" if old is None else "UPDATE"
            version = Version(first + len(webhooks), task, story.owner, contact, story.agent, status)
            webhooks.append((version, told_as(operation, record, old)))
        old = record
    if deleted:
        story.delete_task(task)
        version = Version(
            first + len(webhooks), task, story.owner, contact, story.agent, statuses[-1], gone=True
        )
        webhooks.append((version, told_as("DELETE", None, old)))
    return webhooks


def told_as(operation: str, record: object, old: object) -> dict[str, Any]:
    return {
        "type": operation,
        "schema": "public",
        "table": "agent_tasks",
        "record": record,
        "old_record": old,
    }


def row(story: Story, task: str) -> dict[str, Any]:
    record: dict[str, Any] = story.database.value(
        "select to_jsonb(t) from public.agent_tasks t where id = %s", task
    )
    return record


def newest_of_each(told: list[Webhook]) -> dict[str, str]:
    """Task by task what a fold over the versions that were told leaves standing."""
    tasks = {version.task for version, _ in told}
    shown = [fold(version for version, _ in told if version.task == task) for task in tasks]
    return {version.task: version.status for states in shown for version in states.values()}
