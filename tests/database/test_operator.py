"""What whoever runs it sees and does: overview, dead letters, a task's trace, retention, health."""

from __future__ import annotations

from tests.database.story import Story, decision, later


def test_the_overview_of_a_quiet_system(story: Story) -> None:
    assert {
        "events": {"due": 0, "dead": 0, "oldest_due_seconds": None},
        "deliveries": {"due": 0, "accepted_24h": 0, "dead": 0},
        "blocked_push_services": [],
        "subscriptions": {"live": 0, "retired": 0},
    } == story.database.rpc("taskbell_status")


def test_the_overview_counts_what_is_due_dead_and_done(story: Story) -> None:
    story.subscribe()
    story.subscribe()
    for _ in range(2):
        story.new_task("failed", input_data={})
    one, two, three, four = story.dispatch()["deliveries"]
    story.settle([one], "accepted", status_code=201)
    story.settle([two], "rejected", status_code=400)
    story.settle([three], "gone", status_code=410)
    story.new_task()
    status = story.database.rpc("taskbell_status", p_now=later(seconds=30))
    assert (1, 0) == (status["events"]["due"], status["events"]["dead"])
    assert 29 < status["events"]["oldest_due_seconds"] < 90
    assert {"due": 1, "accepted_24h": 1, "dead": 1} == status["deliveries"]
    assert {"live": 1, "retired": 1} == status["subscriptions"]
    assert four["id"] > three["id"]


def test_dead_letters_are_listed_without_what_they_say_and_can_be_sent_again(story: Story) -> None:
    story.subscribe()
    story.new_task("failed")
    [delivery] = story.dispatch()["deliveries"]
    story.settle([delivery], "rejected", status_code=413, reason="too_large")
    story.new_task()
    [event] = story.claim()["events"]
    story.apply([decision(event) | {"dead": "unknown_status"}])

    letters = story.database.rpc("taskbell_dead_letters")
    assert [(event["id"], "unknown_status")] == [(e["id"], e["reason"]) for e in letters["events"]]
    assert [(delivery["id"], "rejected", 413, "too_large", "https://push.example")] == [
        (d["id"], d["state"], d["status_code"], d["reason"], d["origin"]) for d in letters["deliveries"]
    ]
    assert "Ada" not in str(letters)
    assert "a-public-key" not in str(letters)

    again = {"p_event_ids": [event["id"]], "p_delivery_ids": [delivery["id"]]}
    assert {"events": 1, "deliveries": 1} == story.database.rpc("taskbell_resend", **again)
    assert {"events": 0, "deliveries": 0} == story.database.rpc("taskbell_resend", **again)
    claimed = story.claim(p_now=later(seconds=1))
    assert ([event["id"]], [delivery["id"]]) == tuple(
        [x["id"] for x in claimed[k]] for k in ("events", "deliveries")
    )


def test_nothing_is_sent_again_to_a_browser_that_is_gone(story: Story) -> None:
    story.subscribe()
    story.new_task("failed", input_data={})
    [first] = story.dispatch()["deliveries"]
    story.settle([first], "rejected", status_code=400)
    story.new_task("failed", input_data={})
    story.settle(story.dispatch()["deliveries"], "gone", status_code=410)
    assert {"events": 0, "deliveries": 0} == story.database.rpc(
        "taskbell_resend", p_delivery_ids=[first["id"]]
    )


def test_an_event_that_its_task_has_overtaken_is_dead_no_more_and_changes_nothing(story: Story) -> None:
    task = story.new_task()
    [event] = story.claim()["events"]
    story.apply([decision(event) | {"dead": "unknown_status"}])
    story.set_task(task, status="failed")
    story.dispatch()
    again = story.database.rpc("taskbell_resend", p_event_ids=[event["id"]])
    assert {"events": 0, "deliveries": 0} == again
    assert [("done", "superseded"), ("done", None)] == story.event_reasons(task)
    assert [("failed", True)] == story.states()


def test_nothing_is_sent_again_that_newer_news_has_replaced(story: Story) -> None:
    story.subscribe()
    task = story.new_task("failed")
    [first] = story.dispatch()["deliveries"]
    story.settle([first], "rejected", status_code=400)
    for status in ("pending", "completed"):
        story.set_task(task, status=status)
        newer = story.dispatch()["deliveries"]
    story.settle(newer, "accepted", status_code=201)
    again = story.database.rpc("taskbell_resend", p_delivery_ids=[first["id"]])
    assert {"events": 0, "deliveries": 0} == again
    assert ["superseded", "accepted"] == story.delivery_states()
    assert [] == story.database.rpc("taskbell_dead_letters")["deliveries"]


def test_a_trace_tells_what_became_of_a_task(story: Story) -> None:
    story.subscribe()
    task = story.new_task("failed")
    story.settle(story.dispatch()["deliveries"], "accepted", status_code=201)
    trace = story.database.rpc("taskbell_trace", p_task_id=task)
    assert [("INSERT", "failed", "done")] == [
        (e["operation"], e["status"], e["state"]) for e in trace["events"]
    ]
    assert [("failed", "Failed Ada Lovelace")] == [(n["kind"], n["title"]) for n in trace["notifications"]]
    [delivery] = trace["deliveries"]
    assert ("Firefox on Linux", "https://push.example", "accepted", 201, 1) == (
        *(delivery["subscription_name"], delivery["origin"], delivery["state"]),
        *(delivery["status_code"], delivery["attempts"]),
    )
    assert {"events": [], "notifications": [], "deliveries": []} == story.database.rpc(
        "taskbell_trace", p_task_id="?"
    )


def test_retention_removes_what_is_finished_in_bounded_batches_and_never_what_is_due(story: Story) -> None:
    story.subscribe()
    tasks = [story.new_task("failed", input_data={}) for _ in range(3)]
    story.settle(story.dispatch()["deliveries"], "accepted", status_code=201)
    story.delete_task(tasks[0])
    story.dispatch()
    story.new_task("completed", input_data={})
    story.dispatch()  # its delivery stays due
    story.new_task()  # its event too
    long_after = {"p_now": later(days=31)}

    def pruned(**params: object) -> tuple[int, ...]:
        counts = story.database.rpc("taskbell_prune", **params)
        assert {"events", "notifications", "tasks", "subscriptions", "followups"} == set(counts)
        return tuple(counts[kind] for kind in ("events", "notifications", "tasks"))

    assert (0, 0, 0) == pruned()
    assert (2, 2, 1) == pruned(p_batch=2, **long_after)
    assert (2, 1, 0) == pruned(p_batch=2, **long_after)
    story.database.rpc("taskbell_prune", **long_after)
    left = [story.database.value(f"select count(*) from taskbell.{t}") for t in ("task_events", "deliveries")]  # noqa: S608
    assert [1, 1] == left


def test_browsers_that_were_retired_long_ago_are_forgotten(story: Story) -> None:
    story.subscribe()
    story.new_task("failed")
    story.settle(story.dispatch()["deliveries"], "gone", status_code=410)
    pruned = story.database.rpc("taskbell_prune", p_now=later(days=31))
    assert 1 == pruned["subscriptions"]


def test_the_clocks_own_log_is_kept_small(story: Story) -> None:
    story.database.execute(
        "insert into cron.job_run_details (jobid, end_time) "
        "select j.jobid, now() - age from cron.job j, unnest('{1 hour, 3 days}'::interval[]) age"
    )
    story.database.rpc("taskbell_prune")
    assert 2 == story.database.value("select count(*) from cron.job_run_details")


def test_health_names_the_newest_migration(story: Story) -> None:
    newest = story.database.value("select max(version) from supabase_migrations.schema_migrations")
    assert {"ok": True, "migration": newest} == story.database.rpc("taskbell_health")
    story.database.execute("drop schema supabase_migrations cascade")
    assert {"ok": True, "migration": None} == story.database.rpc("taskbell_health")
