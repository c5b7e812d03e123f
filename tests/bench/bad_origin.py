"""How much one bad push service delays the messages to a good one.

`python -m tests.bench.bad_origin`

In: nothing. Out: a table, milliseconds from the call to the last good push's arrival, alone and beside each
kind of bad origin, rounds taken in turn. Touches loopback ports only.
"""

import statistics
import sys
import time
from contextlib import ExitStack

from taskbell.push import AllowedOrigins, PushMessage, Sender
from tests.stand_ins.push_messages import message_to, new_vapid
from tests.stand_ins.push_service import Behaviour, PushService

GOOD, BAD, ROUNDS, BUDGET_SECONDS = 200, 100, 7, 1.5
KINDS = {
    "alone": None,
    "beside one that never answers": Behaviour(201, delay_seconds=60),
    "beside one that refuses (503)": Behaviour(503),
    "beside one that resets": Behaviour(201, fault="reset"),
}


def main() -> int:
    """Run all rounds and print medians."""
    vapid = new_vapid()
    times: dict[str, list[float]] = {name: [] for name in KINDS}
    with ExitStack() as stack:
        good = stack.enter_context(PushService())
        bad = stack.enter_context(PushService(identity=good.identity))
        sender = Sender(
            vapid, allowed_origins=AllowedOrigins([good.origin, bad.origin]), ca_file=good.ca_file
        )
        stack.callback(sender.close)
        messages = [message_to(good.new_subscription(), vapid) for _ in range(GOOD)]
        burden = {
            name: [message_to(bad.new_subscription(behaviour), vapid) for _ in range(BAD)]
            if behaviour
            else []
            for name, behaviour in KINDS.items()
        }
        sender.send(messages[:1], budget_seconds=5)  # warm: the connection is there
        for round_number in range(ROUNDS):
            for name in KINDS:
                times[name].append(last_arrival(sender, good, messages, burden[name]))
            print(f"round {round_number + 1} of {ROUNDS}", file=sys.stderr)
    alone = statistics.median(times["alone"])
    print(f"{GOOD} good pushes behind {BAD} bad ones: until the last good one is there, median of {ROUNDS}")
    for name, each in times.items():
        print(f"{name:32} {statistics.median(each):7.0f} ms  {statistics.median(each) / alone:5.2f} x")
    return 0


def last_arrival(
    sender: Sender, good: PushService, messages: list[PushMessage], burden: list[PushMessage]
) -> float:
    """Send bad ones first, then good ones, in one call; milliseconds until the last good one was there."""
    before = len(good.received)
    started = time.monotonic()
    sender.send([*burden, *messages], budget_seconds=BUDGET_SECONDS)
    arrived = good.wait_for(before + len(messages))
    return (arrived[-1].arrived_at - started) * 1000


if __name__ == "__main__":
    sys.exit(main())
