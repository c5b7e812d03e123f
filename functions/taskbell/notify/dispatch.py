"""The one place that orders the steps: claim → decide → apply → send → settle, until nothing is due.

In: a budget in seconds. Out: a `Summary` of counts. Touches the gateway and the network, through `Batches`.
May be stopped at any instant and run many times at once: what is not settled is leased, and due again when
the lease ends. Whoever must stop while there is more asks the database for the next run.

Where one batch is not all, the next is claimed, decided and applied while this one is sent and settled: the
database works while the network does.

    claim 1 · apply 1 · claim 2 · apply 2 · claim 3 · …
                      └ send 1 · settle 1 ┴ send 2 · settle 2 ┴ …

Claim and apply take turns among the threads of a process: who would have to wait behind one who waits already
has nothing left to do.
"""

import logging
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, field
from datetime import datetime

from taskbell.errors import GatewayError
from taskbell.gateway import Gateway
from taskbell.model import Json
from taskbell.notify.batch import SETTLE_RESERVE_SECONDS, Batches, Finished, Prepared
from taskbell.notify.deliver import Deliverer, Pushes
from taskbell.notify.ledger import Ledger
from taskbell.notify.turns import Turn, Turns

BATCH = 200
LEASE_SECONDS = 30
"""Longer than any budget: what is leased is not due for another dispatcher while this one works."""

AHEAD = 2
"""How many batches may be on their way, one being sent and one being settled, when the next is claimed."""

log = logging.getLogger("taskbell.notify")


@dataclass
class Summary:
    """What a run did; `more` says that something due was left for the next one.

    `joined` says that another run of this process, which looks later, has taken it over.
    """

    events: int = 0
    notified: int = 0
    superseded: int = 0
    dead: int = 0
    deliveries: int = 0
    accepted: int = 0
    retry: int = 0
    gone: int = 0
    rejected: int = 0
    misconfigured: int = 0
    expired: int = 0
    unsettled: int = 0
    more: bool = False
    joined: bool = False

    def as_json(self) -> dict[str, Json]:
        """Return the counts as the webhook's answer shows them."""
        return asdict(self)

    def count_prepared(self, batch: Prepared) -> None:
        """Add what became of the events of one batch."""
        self.events += len(batch.claimed.events) + len(batch.claimed.unreadable_events)
        self.notified += batch.applied.notified
        self.superseded += batch.applied.superseded
        self.dead += batch.applied.dead

    def count_finished(self, batch: Finished) -> None:
        """Add the outcomes of one batch."""
        self.deliveries += len(batch.outcomes)
        for kind, count in Counter(one.outcome.kind for one in batch.outcomes).items():
            setattr(self, kind.value, getattr(self, kind.value) + count)
        self.unsettled += 0 if batch.settled else len(batch.outcomes)
        self.more = self.more or any(one.outcome.reason == "budget_exhausted" for one in batch.outcomes)


class Dispatcher:
    """Does what is due; holds nothing between runs but whose turn it is, for any number of threads.

    `public_url` has no trailing slash, `secrets` sign receipts; with `ahead` 0, all steps are taken one after
    the other. `clock` and `chance` are for tests: without a clock the database's time counts, and a function
    whose clock is wrong changes nothing.
    """

    def __init__(
        self,
        gateway: Gateway,
        sender: Pushes,
        *,
        public_url: str,
        secrets: Sequence[str],
        clock: Callable[[], datetime] | None = None,
        chance: Callable[[], float] = random.random,
        batch: int = BATCH,
        ahead: int = AHEAD,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self._ledger = Ledger(gateway, lease_seconds=lease_seconds, clock=clock)
        deliverer = Deliverer(sender, public_url=public_url, secrets=secrets, chance=chance)
        self._batches = Batches(self._ledger, deliverer, lease_seconds, clock)
        self._batch = batch
        self._ahead = ahead
        self._turns = Turns()

    def run(self, budget_seconds: float) -> Summary:
        """Dispatch batches until nothing is due or the budget ends.

        Raises GatewayError if nobody answers before the first is on its way; later, what is left is the next
        run's.
        """
        run = _Run(self._batches, time.monotonic() + budget_seconds, self._ahead)
        try:
            more = True
            while more:
                if run.late:
                    run.summary.more = True
                    break
                batch = self._prepare(run)
                if batch is None:
                    break
                more = run.take(batch) and batch.claimed.more
        except GatewayError as error:
            if not run.begun:
                raise
            log.warning("stopped early", extra={"fields": {"reason": error.reason}})
            run.summary.more = True
        finally:
            # Whatever stopped the loop, what has been claimed is sent and settled. The next run may begin
            # meanwhile, or is needed only for what could not be sent.
            run.call_for_the_next(self._ledger)
            run.end()
            run.call_for_the_next(self._ledger)
        summary = run.summary
        if summary.events or summary.deliveries:
            log.info("dispatched", extra={"fields": {"stage": "dispatch", **summary.as_json()}})
        return summary

    def _prepare(self, run: "_Run") -> Prepared | None:
        """Claim and apply one batch when it is our turn; None where nothing is due, or is another's to do."""
        with self._turns.take(run.ends_at - time.monotonic()) as turn:
            if turn is not Turn.MINE:
                run.summary.joined = turn is Turn.ANOTHERS
                run.summary.more |= turn is Turn.NOT_IN_TIME
                return None
            asked_at = time.monotonic()
            claimed = self._ledger.claim(self._batch, ends_at=run.ends_at)
            return self._batches.prepare(claimed, asked_at, ends_at=run.ends_at) if claimed else None


@dataclass
class _Run:
    """The batches of one run that are on their way."""

    batches: Batches
    ends_at: float
    ahead: int
    summary: Summary = field(default_factory=Summary)
    longest_seconds: float = 0.0
    settled: bool = True
    called: bool = False
    on_their_way: deque[Future[Finished]] = field(default_factory=deque)

    @property
    def begun(self) -> bool:
        """Whether anything was taken."""
        return bool(self.summary.events + self.summary.deliveries + len(self.on_their_way))

    @property
    def late(self) -> bool:
        """Whether one more batch would not be settled within the budget; the first is taken all the same."""
        left = self.ends_at - time.monotonic()
        return self.begun and left <= max(SETTLE_RESERVE_SECONDS, self.longest_seconds)

    def take(self, batch: Prepared) -> bool:
        """Send and settle a batch, here if it is the only one; False where going on makes no sense."""
        self.summary.count_prepared(batch)
        if not self.ahead or (not batch.claimed.more and not self.on_their_way):
            self._count(self.batches.finish(batch, ends_at=self.ends_at))
            return self.settled
        future: Future[Finished] = Future()
        self.on_their_way.append(future)
        # A daemon: a thread that hangs must not keep the process from ending.
        threading.Thread(target=self._finish, args=(batch, future), name="taskbell-send", daemon=True).start()
        while len(self.on_their_way) > self.ahead or (self.on_their_way and self.on_their_way[0].done()):
            self._count(self.on_their_way.popleft().result())
        return self.settled

    def call_for_the_next(self, ledger: Ledger) -> None:
        """Ask the database for another run, once, if this one leaves anything."""
        if self.summary.more and not self.called:
            self.called = True
            ledger.call_again(ends_at=self.ends_at)

    def end(self) -> None:
        """Wait for what is on its way."""
        wait(self.on_their_way)
        while self.on_their_way:
            self._count(self.on_their_way.popleft().result())

    def _finish(self, batch: Prepared, future: Future[Finished]) -> None:
        try:
            future.set_result(self.batches.finish(batch, ends_at=self.ends_at))
        except BaseException as error:  # handed to whoever waits
            future.set_exception(error)

    def _count(self, batch: Finished) -> None:
        self.summary.count_finished(batch)
        self.longest_seconds = max(self.longest_seconds, batch.seconds)
        self.settled = self.settled and batch.settled
