"""What a batch of decisions changes, and what it leaves alone."""

from __future__ import annotations

from tests.database.story import Story, decision, later


def test_a_task_becomes_a_badge_and_one_notification(story: Story) -> None:
    story.subscribe()
    task = story.new_task()
    assert {"deliveries": [], "applied": 1, "superseded": 0, "notified": 0} == story.dispatch()
    assert [("pending", False)] == story.states()

    story.set_task(task, status="in_progress")
    story.dispatch()
    assert [("in_progress", False)] == story.states()

    story.finish(task)
    applied = story.dispatch()
    assert (1, 1) == (applied["applied"], applied["notified"])
    [delivery] = applied["deliveries"]
    assert "Draft ready Ada Lovelace" == delivery["notification"]["title"]
    assert (1, 1) == (delivery["attempt"], delivery["app_badge"])
    assert [("draft_ready", True)] == story.states()
    [state] = story.inbox()["states"]
    assert ("Ada Lovelace", "Outreach Agent") == (state["contact_name"], state["agent_name"])
    assert state["ready_at"] is not None


def test_a_backlog_applied_at_once_rings_for_its_end_alone(story: Story) -> None:
    story.subscribe()
    task = story.new_task()
    story.set_task(task, status="in_progress")
    story.finish(task)
    applied = story.dispatch()
    assert (1, 2, 1) == (applied["applied"], applied["superseded"], applied["notified"])
    assert [("done", "superseded"), ("done", "superseded"), ("done", None)] == story.event_reasons(task)
    assert [("draft_ready", True)] == story.states()


def test_every_live_browser_gets_a_delivery(story: Story) -> None:
    first, second = story.subscribe(), story.subscribe()
    story.finish(story.new_task())
    applied = story.dispatch()
    assert {first, second} == {delivery["subscription"]["id"] for delivery in applied["deliveries"]}


def test_an_event_that_comes_late_changes_nothing_and_rings_nobody(story: Story) -> None:
    story.subscribe()
    task = story.new_task()
    story.set_task(task, status="failed", error_message="no address")
    older, newer = story.claim()["events"]
    story.apply([decision(newer)])
    late = story.apply([decision(older)])
    assert {"deliveries": [], "applied": 0, "superseded": 1, "notified": 0} == late
    assert [("failed", True)] == story.states()


def test_a_decision_applied_twice_is_applied_once(story: Story) -> None:
    story.subscribe()
    story.finish(story.new_task())
    decisions = [decision(event) for event in story.claim()["events"]]
    first, second = story.apply(decisions), story.apply(decisions)
    assert (1, 0) == (first["notified"], second["notified"])
    assert {"deliveries": [], "applied": 0, "superseded": 0, "notified": 0} == second
    assert ["due"] == story.delivery_states()


def test_the_same_status_again_rings_nobody_and_stays_seen(story: Story) -> None:
    story.subscribe()
    task = story.new_task()
    story.finish(task)
    story.dispatch()
    story.database.rpc("taskbell_seen", p_user_id=story.owner, p_contact_id=story.contact)
    story.set_task(task, task_type="outreach, corrected")
    applied = story.dispatch()
    assert (1, 0) == (applied["applied"], applied["notified"])
    assert [("draft_ready", False)] == story.states()


def test_a_task_run_again_rings_again(story: Story) -> None:
    story.subscribe()
    task = story.new_task("completed")
    assert 1 == story.dispatch()["notified"]
    story.set_task(task, status="pending")
    story.dispatch()
    assert [("pending", False)] == story.states()
    story.set_task(task, status="completed")
    assert 1 == story.dispatch()["notified"]


def test_a_whole_second_run_in_one_batch_still_rings(story: Story) -> None:
    story.subscribe()
    task = story.new_task("completed")
    story.dispatch()
    story.set_task(task, status="in_progress")
    story.set_task(task, status="completed")
    assert 1 == story.dispatch()["notified"]


def test_the_end_of_a_second_run_rings_though_its_beginning_is_held_by_another_dispatcher(
    story: Story,
) -> None:
    story.subscribe()
    task = story.new_task("completed")
    story.dispatch()
    story.set_task(task, status="in_progress")
    beginning = story.claim()["events"]
    story.set_task(task, status="completed")
    assert 1 == story.dispatch()["notified"]
    assert 1 == story.apply([decision(event) for event in beginning])["superseded"]


def test_a_newer_notification_replaces_one_that_was_not_sent(story: Story) -> None:
    story.subscribe()
    task = story.new_task("completed")
    story.dispatch()
    story.set_task(task, status="failed")
    story.dispatch()
    assert ["superseded", "due"] == story.delivery_states()


def test_an_older_task_of_the_same_contact_does_not_ring_over_a_newer_one(story: Story) -> None:
    story.subscribe()
    story.new_task("failed")
    older = story.claim()["events"]
    story.new_task("completed")
    story.dispatch()
    assert [] == story.apply([decision(event) for event in older])["deliveries"]
    assert ["due", "superseded"] == story.delivery_states()
    assert [("completed", True)] == story.states()


def test_a_deleted_task_gives_way_to_the_one_before_it(story: Story) -> None:
    story.subscribe()
    story.new_task("failed")
    story.dispatch()
    task = story.new_task("completed")
    story.dispatch()
    assert [("completed", True)] == story.states()
    story.delete_task(task)
    story.dispatch()
    assert [("failed", True)] == story.states()


def test_a_deleted_task_takes_its_unsent_notification_and_its_badge_along(story: Story) -> None:
    story.subscribe()
    task = story.new_task("failed")
    story.dispatch()
    story.delete_task(task)
    story.dispatch()
    assert ["cancelled"] == story.delivery_states()
    assert [] == story.states()


def test_nothing_late_brings_a_deleted_task_back(story: Story) -> None:
    story.subscribe()
    task = story.new_task("completed")
    before = story.claim()["events"]
    story.delete_task(task)
    story.dispatch()
    assert 1 == story.apply([decision(event) for event in before])["superseded"]
    assert ([], []) == (story.states(), story.delivery_states())


def test_a_task_that_moves_to_another_contact_leaves_the_first(story: Story) -> None:
    story.subscribe()
    task = story.new_task("completed")
    story.dispatch()
    grace = story.new_contact("Grace Hopper")
    story.set_task(task, input_data={"contact_id": grace})
    assert 1 == story.dispatch()["notified"]
    assert [grace] == [state["contact_id"] for state in story.inbox()["states"]]


def test_a_task_that_moves_to_another_user_leaves_the_first(story: Story) -> None:
    story.subscribe()
    task = story.new_task("completed")
    story.dispatch()
    stranger = story.database.user()
    story.set_task(task, user_id=stranger)
    story.dispatch()
    assert [] == story.states()
    assert ["cancelled"] == story.delivery_states()


def test_agents_work_side_by_side_for_one_contact(story: Story) -> None:
    story.new_task("in_progress")
    story.new_task("failed", agent_id=story.new_agent("Follow-up Agent"))
    story.dispatch()
    assert [("failed", True), ("in_progress", False)] == story.states()
    assert 1 == story.inbox()["unseen"]


def test_a_dead_decision_ends_its_event_alone(story: Story) -> None:
    task, other = story.new_task(), story.new_task()
    bad, good = story.claim()["events"]
    applied = story.apply([decision(bad) | {"dead": "unknown_status"}, decision(good)])
    assert (1, 0) == (applied["applied"], applied["superseded"])
    assert [("dead", "unknown_status")] == story.event_reasons(task)
    assert [("done", None)] == story.event_reasons(other)


def test_an_event_for_nobody_is_done(story: Story) -> None:
    story.database.execute("alter table public.agent_tasks alter column user_id drop not null")
    task = story.new_task(user_id=None)
    story.dispatch()
    assert [("done", "no_recipient")] == story.event_reasons(task)


def test_a_held_notification_waits(story: Story) -> None:
    story.subscribe()
    story.new_task("completed")
    until = later(hours=8)
    events = story.claim()["events"]
    applied = story.apply([decision(event, hold_until=until.isoformat()) for event in events])
    assert (1, []) == (applied["notified"], applied["deliveries"])
    assert [] == story.claim(p_now=later(hours=7))["deliveries"]
    [delivery] = story.claim(p_now=later(hours=9))["deliveries"]
    assert (1, True) == (delivery["attempt"], delivery["notification"]["held"])


def test_a_version_counts_every_change_of_an_inbox(story: Story) -> None:
    assert 0 == story.inbox()["version"]
    task = story.new_task()
    story.dispatch()
    assert 1 == story.inbox()["version"]
    assert {"version": 1, "changed": False} == story.database.rpc_as(
        story.owner, "taskbell_inbox", p_known_version=1
    )
    story.set_task(task, status="failed")
    story.dispatch()
    assert 2 == story.inbox()["version"]
    story.dispatch()
    assert 2 == story.inbox()["version"]
