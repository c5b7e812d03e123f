"""Many open pages in one process: each asks for its inbox, now and then or held, as the page's script does.

In: an address, tokens. Out: how long each answer took. Touches: one connection for each request.
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

ANSWER_SECONDS = 40.0


@dataclass(frozen=True)
class Page:
    """A signed-in user's page; it knows the version `known` of the inbox."""

    user_id: str
    token: str


@dataclass
class Answers:
    """What pages were told: milliseconds of each answer, and how often what status came."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def add(self, status: int, milliseconds: float) -> None:
        """Note an answer."""
        self.milliseconds.append(milliseconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1


async def ask(port: int, page: Page, known: int, *, wait_seconds: int = 0) -> tuple[int, bool]:
    """Ask once; returns the status (0: no answer) and whether the answer was held."""
    lines = [
        "GET /v1/inbox HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        f"Authorization: Bearer {page.token}",
        f'If-None-Match: "v{known}"',
        *([f"Prefer: wait={wait_seconds}"] if wait_seconds else []),
    ]
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write("\r\n".join([*lines, "", ""]).encode())
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        return 0, False
    head = answer.partition(b"\r\n\r\n")[0].lower()
    return int(head[9:12] or 0), b"\r\npreference-applied: wait" in head


async def poll(port: int, pages: Sequence[Page], known: int, every_seconds: float, seconds: float) -> Answers:
    """Let all pages poll by the clock for a while, each at its own instant of the interval."""
    answers = Answers()
    starts_at = time.perf_counter() + 0.1

    async def polling(page: Page, first_at: float) -> None:
        at = first_at
        while at < starts_at + seconds:
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            asked_at = time.perf_counter()
            status, _ = await ask(port, page, known)
            answers.add(status, (time.perf_counter() - asked_at) * 1000)
            at += every_seconds

    gap = every_seconds / len(pages)
    await asyncio.gather(*(polling(page, starts_at + number * gap) for number, page in enumerate(pages)))
    return answers


class HeldPages:
    """Pages that are held, and ask again whenever they are answered."""

    def __init__(self, port: int, pages: Sequence[Page], known: int, wait_seconds: int) -> None:
        self._port = port
        self._known = {page.user_id: known for page in pages}
        self._pages = pages
        self._wait_seconds = wait_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self.answers = Answers()
        self.refused = 0
        self.told_at: dict[str, float] = {}
        self._told = asyncio.Event()

    async def open(self, seconds: float) -> None:
        """Open all of them, one after the other, within that time."""
        for page in self._pages:
            self._tasks.append(asyncio.create_task(self._hold(page)))
            await asyncio.sleep(seconds / len(self._pages))

    async def all_told(self, user_ids: Collection[str], patience_seconds: float) -> None:
        """Return once all of these have been told of something new, or when the patience is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                while any(user_id not in self.told_at for user_id in user_ids):
                    self._told.clear()
                    await self._told.wait()

    async def close(self) -> None:
        """Close them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hold(self, page: Page) -> None:
        while True:
            known = self._known[page.user_id]
            status, held = await ask(self._port, page, known, wait_seconds=self._wait_seconds)
            self.answers.statuses[status] = self.answers.statuses.get(status, 0) + 1
            self.refused += not held
            if status == 200:
                self.told_at[page.user_id] = time.perf_counter()
                self._told.set()
                self._known[page.user_id] = known + 1
            elif not held:
                await asyncio.sleep(5)  # as the page does
