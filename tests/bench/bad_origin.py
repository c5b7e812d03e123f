"""How much one bad push service delays the messages to a good one.

In: nothing. Out: milliseconds from the call to the last good push's arrival, alone and beside each kind of
bad origin, rounds taken in turn. Touches loopback ports only. Run alone: `python -m tests.bench.bad_origin`.
"""

import statistics
import sys
import time
from contextlib import ExitStack

from taskbell.push import AllowedOrigins, PushMessage, Sender
from tests.bench.section import Figures, Progress, alone
from tests.stand_ins.push_messages import message_to, new_vapid
from tests.stand_ins.push_service import Behaviour, PushService

TITLE = "200 pushes behind 100 to a push service that is bad"
GOOD, BAD, ROUNDS, BUDGET_SECONDS = 200, 100, 7, 1.5
QUICK = (5, 3, 1)
KINDS = {
    "alone": None,
    "beside_one_that_never_answers": Behaviour(201, delay_seconds=60),
    "beside_one_that_refuses": Behaviour(503),
    "beside_one_that_resets": Behaviour(201, fault="reset"),
}


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return the median until the last good push is there, in ms and against the time without bad ones."""
    good_pushes, bad_pushes, rounds = QUICK if quick else (GOOD, BAD, ROUNDS)
    vapid = new_vapid()
    times: dict[str, list[float]] = {name: [] for name in KINDS}
    with ExitStack() as stack:
        good = stack.enter_context(PushService())
        bad = stack.enter_context(PushService(identity=good.identity))
        sender = Sender(
            vapid, allowed_origins=AllowedOrigins([good.origin, bad.origin]), ca_file=good.ca_file
        )
        stack.callback(sender.close)
        messages = [message_to(good.new_subscription(), vapid) for _ in range(good_pushes)]
        burden = {
            name: [message_to(bad.new_subscription(behaviour), vapid) for _ in range(bad_pushes)]
            if behaviour
            else []
            for name, behaviour in KINDS.items()
        }
        sender.send(messages[:1], budget_seconds=5)  # warm: the connection is there
        for number in range(rounds):
            progress(number / rounds, f"round {number + 1} of {rounds}")
            for name in KINDS:
                times[name].append(last_arrival(sender, good, messages, burden[name]))
    medians = {name: statistics.median(each) for name, each in times.items()}
    return {
        "good_pushes": good_pushes,
        "bad_pushes": bad_pushes,
        "rounds": rounds,
        "ms": {name: round(median, 1) for name, median in medians.items()},
        "of_alone": {name: round(median / medians["alone"], 2) for name, median in medians.items()},
    }


def last_arrival(
    sender: Sender, good: PushService, messages: list[PushMessage], burden: list[PushMessage]
) -> float:
    """Send bad ones first, then good ones, in one call; milliseconds until the last good one was there."""
    before = len(good.received)
    started = time.monotonic()
    sender.send([*burden, *messages], budget_seconds=BUDGET_SECONDS)
    arrived = good.wait_for(before + len(messages))
    return (arrived[-1].arrived_at - started) * 1000


def main() -> int:
    """Run it alone."""
    return alone(__spec__.name)


if __name__ == "__main__":
    sys.exit(main())
