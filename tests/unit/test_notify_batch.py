"""What a batch makes of an event that nobody can decide: one dead letter, and nothing else changes."""

from __future__ import annotations

from taskbell.notify.batch import decide_or_bury
from taskbell.notify.decide import decide_all
from taskbell.notify.quiet import BURST
from tests.unit.test_notify_decide import NOW, event


def test_an_event_that_cannot_be_decided_is_buried_and_the_burst_around_it_is_still_counted() -> None:
    broken = event(number=3).model_copy(update={"task": None})
    events = [event(number=1), event(number=2), broken, *(event(number=n) for n in range(4, 10))]
    decisions = decide_all(events, NOW, decide_or_bury)
    assert [3] == [one.event_id for one in decisions if one.dead == "undecidable"]
    words = [one.recipients[0].notification for one in decisions if one.dead is None]
    assert BURST == sum(1 for word in words if word is not None and word.hold_until is None)
