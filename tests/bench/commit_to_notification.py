"""How long from an agent's update to the notification on the desktop.

In: nothing. Out: p50 and p95 of each leg of the way, and every run. Touches: a temporary folder, loopback
ports, the browser and the servers that it starts and stops. Run alone:
`python -m tests.bench.commit_to_notification`.

The clock starts when the update is handed to the database, so that the commit itself is part of the time.
"""

import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from tests.bench.section import Figures, Missing, Progress, alone
from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins import firefox as firefox_stand_in
from tests.stand_ins import notification_daemon
from tests.stand_ins.autopush import Autopush
from tests.stand_ins.background import Background
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until

TITLE = "from an agent's update to the notification that Firefox shows"
RUNS, QUICK_RUNS, WARM_UP_RUNS = 50, 2, 3

LEGS = {
    "captured": "the update is handed to the database → the trigger has written the event",
    "called": "→ committed, and the webhook received",
    "decided": "→ event claimed, its notification decided and stored",
    "pushed": "→ encrypted, and received by the push service",
    "shown": "→ received and decrypted by Firefox, its worker run, on the desktop",
}


@dataclass(frozen=True)
class Moments:
    """When each leg of one run ended, in seconds since the epoch."""

    started: float
    captured: float
    decided: float
    pushed: float
    shown: float


class Bench:
    """The product, a push service, a desktop and a subscribed Firefox with no page open."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        background = stack.enter_context(Background())
        self._desktop = stack.enter_context(NotificationDaemon(background))
        self._autopush = stack.enter_context(Autopush(background))
        origins = {"EXTRA_PUSH_ORIGINS": self._autopush.origin}
        self._product = stack.enter_context(Stack(folder, origins))
        self._application = Application(self._product)
        self._application.wants_every_notification()
        firefox = stack.enter_context(
            Firefox(
                folder / "firefox",
                push_url=self._autopush.websocket_url,
                dbus_address=self._desktop.address,
            )
        )
        firefox.open(self._product.url)
        firefox.click(hooks.NOTIFY_BUTTON)
        firefox.wait_for(hooks.push("on"))
        firefox.close_all_tabs()

    def run(self, number: int) -> Moments:
        """Let one task complete with a draft and see it shown."""
        name = f"Contact {number}"
        task = self._application.task(self._application.contact(name))
        task.draft()
        wait_until(self._application.nothing_is_due, "the beginning of the task has been dealt with")
        shown_mark, pushed_mark = self._desktop.shown.mark(), self._autopush.requests.mark()
        started = time.time()
        task.complete()
        shown = self._desktop.shown.wait_for(lambda shown: name in shown.title, after=shown_mark)
        pushed = self._autopush.requests.wait_for(lambda push: push.status == 201, after=pushed_mark)
        [(captured, decided)] = self._product.sql(
            """select extract(epoch from e.occurred_at)::float8, extract(epoch from n.created_at)::float8
               from taskbell.notifications n join taskbell.task_events e on e.id = n.event_id
               where n.task_id = %s""",
            task.id,
        )
        return Moments(started, captured, decided, pushed.received_at, shown.seen_at)

    def calls_received(self) -> list[float]:
        """Return when each call that notified somebody came in, as the functions logged it.

        It is the webhook's, but for the odd one whose event the sweep came upon first.
        """
        received = []
        for line in self._product.log().splitlines():
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("message") == "answered" and said.get("dispatched", {}).get("notified"):
                answered = datetime.fromisoformat(said["time"]).timestamp()
                received.append(answered - said["milliseconds"] / 1000)
        return received


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Start everything, warm up, and return percentiles of each leg; raises Missing without a browser."""
    lacks = [lack for lack in (firefox_stand_in.missing(), notification_daemon.missing()) if lack]
    if lacks:
        raise Missing("; ".join(lacks))
    runs = WARM_UP_RUNS + (QUICK_RUNS if quick else RUNS)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        progress(0, "starting the stack and Firefox")
        bench = Bench(stack, Path(folder))
        moments = []
        for number in range(runs):
            progress(number / runs, f"notification {number + 1} of {runs}")
            moments.append(bench.run(number))
        wait_until(lambda: len(bench.calls_received()) >= runs, "the last call is answered")
        received = bench.calls_received()
    taken = [
        legs(each, max(at for at in [each.captured, *received] if at <= each.decided))
        for each in moments[WARM_UP_RUNS:]
    ]
    return {
        "runs": len(taken),
        "legs": LEGS,
        "ms": {leg: summary([one[leg] for one in taken]) for leg in taken[0]},
        "every_total_ms": [round(one["total"], 1) for one in taken],
    }


def legs(moments: Moments, called: float) -> dict[str, float]:
    """Return how long each leg took, and the whole, in milliseconds."""
    ends = [moments.started, moments.captured, called, moments.decided, moments.pushed, moments.shown]
    took = [(after - before) * 1000 for before, after in pairwise(ends)]
    return {**dict(zip(LEGS, took, strict=True)), "total": sum(took)}


def summary(values: list[float]) -> dict[str, float]:
    """Return p50, p95 and the maximum."""
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    return {
        name: round(value, 1)
        for name, value in zip(
            ("p50", "p95", "max"), (percentiles[49], percentiles[94], max(values)), strict=True
        )
    }


def main() -> int:
    """Run it alone."""
    return alone(__spec__.name)


if __name__ == "__main__":
    sys.exit(main())
