"""What the push services' answers do to deliveries, browsers and push services."""

from __future__ import annotations

import pytest

from tests.database.story import Row, Story, later


@pytest.fixture
def sent(story: Story) -> Row:
    """A delivery on its way to the owner's only browser."""
    story.subscribe()
    story.new_task("failed")
    [delivery] = story.dispatch()["deliveries"]
    assert isinstance(delivery, dict)
    return delivery


def delivery_row(story: Story) -> tuple[object, ...]:
    """State, attempts, status code and reason of the only delivery."""
    [row] = story.database.execute("select state, attempts, status_code, reason from taskbell.deliveries")
    return row


def subscription(story: Story) -> Row:
    [row] = story.database.rpc("taskbell_subscriptions", p_user_id=story.owner)["subscriptions"]
    assert isinstance(row, dict)
    return row


def test_accepted_is_recorded_with_the_time_it_took(story: Story, sent: Row) -> None:
    settled = story.settle([sent], "accepted", status_code=201, p_now=later(seconds=2))
    assert {"settled": 1, "retired": 0, "blocked_origins": []} == settled
    assert ("accepted", 1, 201, None) == delivery_row(story)
    latency_ms = story.database.value("select latency_ms from taskbell.deliveries")
    assert 2_000 <= latency_ms < 20_000
    assert subscription(story)["last_accepted_at"] is not None


def test_an_outcome_settled_twice_counts_once(story: Story, sent: Row) -> None:
    assert [1, 0] == [story.settle([sent], "accepted", status_code=201)["settled"] for _ in range(2)]
    assert 0 == story.settle([sent], "gone", status_code=410)["settled"]
    assert subscription(story)["retired_at"] is None


def test_an_outcome_given_twice_in_one_batch_counts_once(story: Story, sent: Row) -> None:
    assert 1 == story.settle([sent, sent], "accepted", status_code=201)["settled"]


def test_a_retry_is_due_when_the_push_service_said(story: Story, sent: Row) -> None:
    story.settle([sent], "retry", status_code=429, retry_after_seconds=120)
    assert ("due", 1, 429, None) == delivery_row(story)
    assert [] == story.claim(p_now=later(seconds=110))["deliveries"]
    [again] = story.claim(p_now=later(seconds=130))["deliveries"]
    assert (sent["id"], 2) == (again["id"], again["attempt"])


def test_the_outcome_of_an_older_attempt_is_ignored_unless_it_was_accepted(story: Story, sent: Row) -> None:
    [again] = story.claim(p_now=later(seconds=90))["deliveries"]
    assert 0 == story.settle([sent], "rejected", status_code=400)["settled"]
    assert 1 == story.settle([sent], "accepted", status_code=201)["settled"]
    assert 0 == story.settle([again], "retry", status_code=500)["settled"]
    assert ["accepted"] == story.delivery_states()


def test_what_a_push_service_took_was_sent_whatever_replaced_it_meanwhile(story: Story, sent: Row) -> None:
    story.set_task(sent["notification"]["task_id"], status="completed")
    story.dispatch()
    assert ["superseded", "due"] == story.delivery_states()
    story.settle([sent], "accepted", status_code=201)
    assert ["accepted", "due"] == story.delivery_states()


def test_a_settle_that_is_repeated_says_nothing_of_a_later_lease(story: Story, sent: Row) -> None:
    """Its answer was lost: the message had not gone out, so the next lease has the same number of tries."""
    story.settle([sent], "retry", reason="budget_exhausted", retry_after_seconds=15)
    [again] = story.claim(p_now=later(seconds=20))["deliveries"]
    assert sent["attempt"] == again["attempt"]
    assert 0 == story.settle([sent], "retry", reason="budget_exhausted", retry_after_seconds=15)["settled"]
    assert 1 == story.settle([again], "retry", status_code=503, retry_after_seconds=15)["settled"]


def test_a_dead_letter_sent_again_does_not_hear_of_its_former_lease(story: Story, sent: Row) -> None:
    story.settle([sent], "rejected", status_code=400)
    story.database.rpc("taskbell_resend", p_delivery_ids=[sent["id"]])
    [again] = story.claim(p_now=later(seconds=20))["deliveries"]
    assert sent["attempt"] == again["attempt"]
    assert 0 == story.settle([sent], "rejected", status_code=400)["settled"]
    assert ["due"] == story.delivery_states()


def test_eight_tries_are_enough(story: Story, sent: Row) -> None:
    attempt = sent
    for number in range(1, 8):
        story.settle([attempt], "retry", status_code=503, retry_after_seconds=15)
        [attempt] = story.claim(p_now=later(hours=number))["deliveries"]
    assert 8 == attempt["attempt"]
    story.settle([attempt], "retry", status_code=503, retry_after_seconds=15)
    assert ("expired", 8, 503, "too_many_attempts") == delivery_row(story)


def test_a_delivery_that_is_claimed_and_never_settled_ends_too(story: Story, sent: Row) -> None:
    for number in range(1, 8):
        assert 1 == len(story.claim(p_now=later(hours=number))["deliveries"])
    assert [] == story.claim(p_now=later(hours=9))["deliveries"]
    assert ("expired", 8, None, "too_many_attempts") == delivery_row(story)
    assert sent["attempt"] == 1


def test_nothing_is_retried_beyond_its_ttl(story: Story, sent: Row) -> None:
    story.settle([sent], "retry", status_code=503, retry_after_seconds=86_500)
    assert ("expired", 1, 503, "ttl_ended") == delivery_row(story)


def test_nothing_is_claimed_beyond_its_ttl(story: Story, sent: Row) -> None:
    assert [] == story.claim(p_now=later(hours=25))["deliveries"]
    assert ("expired", sent["attempt"], None, "ttl_ended") == delivery_row(story)


@pytest.mark.parametrize(("outcome", "status_code"), [("rejected", 413), ("expired", 503)])
def test_a_dead_letter_retires_nothing(story: Story, sent: Row, outcome: str, status_code: int) -> None:
    story.settle([sent], outcome, status_code=status_code, reason="too_large")
    assert (outcome, 1, status_code, "too_large") == delivery_row(story)
    assert subscription(story)["retired_at"] is None


def test_a_browser_that_is_gone_gets_nothing_more(story: Story, sent: Row) -> None:
    story.new_task("completed")
    [other] = story.dispatch()["deliveries"]
    settled = story.settle([other], "gone", status_code=410, reason="unsubscribed")
    assert {"settled": 1, "retired": 1, "blocked_origins": []} == settled
    assert ["superseded", "gone"] == story.delivery_states()
    assert "unsubscribed" == subscription(story)["retired_reason"]
    story.new_task("failed")
    assert (1, []) == (lambda a: (a["notified"], a["deliveries"]))(story.dispatch())
    assert sent["id"] != other["id"]


def test_what_else_was_on_its_way_to_a_gone_browser_ends(story: Story, sent: Row) -> None:
    story.new_task("failed", input_data={})
    [other] = story.dispatch()["deliveries"]
    story.settle([other], "gone", status_code=404)
    assert ["gone", "gone"] == story.delivery_states()
    assert [] == story.claim(p_now=later(hours=1))["deliveries"]
    assert "404" == subscription(story)["retired_reason"]
    assert sent["id"] < other["id"]


def test_a_push_service_that_refuses_us_is_left_alone_and_nobody_is_retired(story: Story, sent: Row) -> None:
    origin = sent["subscription"]["origin"]
    settled = story.settle(
        [sent], "misconfigured", status_code=403, reason="bad_credentials", retry_after_seconds=900
    )
    assert {"settled": 1, "retired": 0, "blocked_origins": [origin]} == settled
    assert ("due", 1, 403, "bad_credentials") == delivery_row(story)
    [blocked] = story.database.rpc("taskbell_status")["blocked_push_services"]
    assert (origin, "bad_credentials") == (blocked["origin"], blocked["reason"])

    story.new_task("completed", input_data={})
    assert [] == story.dispatch()["deliveries"]
    assert [] == story.claim(p_now=later(minutes=10))["deliveries"]
    again = story.claim(p_now=later(minutes=20))["deliveries"]
    assert [2, 1] == [delivery["attempt"] for delivery in again]
    story.settle(again, "accepted", status_code=201)
    assert [] == story.database.rpc("taskbell_status")["blocked_push_services"]
    assert ["accepted", "accepted"] == story.delivery_states()


def test_other_push_services_are_not_held_up_by_one_that_refuses_us(story: Story, sent: Row) -> None:
    story.settle([sent], "misconfigured", status_code=401, retry_after_seconds=900)
    good = story.subscribe(origin="https://other.example")
    story.new_task("completed", input_data={})
    assert [good] == [d["subscription"]["id"] for d in story.dispatch()["deliveries"]]


def test_tries_against_a_push_service_that_refuses_us_do_not_count(story: Story, sent: Row) -> None:
    attempt = sent
    for number in range(1, 12):
        story.settle(
            [attempt], "misconfigured", status_code=403, retry_after_seconds=900, p_now=later(hours=number)
        )
        [attempt] = story.claim(p_now=later(hours=number, minutes=20))["deliveries"]
    assert "due" == delivery_row(story)[0]


def test_a_push_service_that_takes_other_messages_of_ours_is_not_left_alone(story: Story, sent: Row) -> None:
    story.subscribe()
    story.new_task("completed", input_data={})
    deliveries = story.dispatch()["deliveries"]
    outcomes = [
        {"delivery_id": d["id"], "lease": 1, "outcome": o, "origin": d["subscription"]["origin"]}
        for d, o in zip(deliveries, ["accepted", "misconfigured"], strict=True)
    ]
    settled = story.database.rpc("taskbell_settle", p_outcomes=outcomes)
    assert {"settled": 2, "retired": 0, "blocked_origins": []} == settled
    assert ["due", "accepted", "due"] == story.delivery_states()
    assert "due" == story.database.value("select state from taskbell.deliveries where id = %s", sent["id"])


def test_an_empty_batch_and_unknown_deliveries_are_settled_without_a_word(story: Story) -> None:
    nothing = {"settled": 0, "retired": 0, "blocked_origins": []}
    assert nothing == story.database.rpc("taskbell_settle", p_outcomes=[])
    assert nothing == story.database.rpc(
        "taskbell_settle", p_outcomes=[{"delivery_id": 7, "lease": 1, "outcome": "accepted"}]
    )
