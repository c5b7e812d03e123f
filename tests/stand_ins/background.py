"""An event loop in a thread of its own, so that blocking tests can use asynchronous servers.

In: coroutines and plain functions. Out: their results. Touches: one thread.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Background:
    """Runs the stand-ins' servers beside the test that uses them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-ins", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_seconds: float = 30) -> T:
        """Run a coroutine on the loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout_seconds)

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a plain function on the loop's thread and wait for its result."""

        async def on_loop() -> T:
            return function(*arguments)

        return self.run(on_loop())

    def close(self) -> None:
        """Cancel whatever still runs and end the thread."""
        self.run(_cancel_all_others())
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def stop_serving(server: asyncio.Server) -> None:
    """Close a server without losing hold of what it has just accepted.

    Server.close leaves such a connection open for ever: Python 3.11 finds no server for it any more.
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener)
    for _ in range(2):
        await asyncio.sleep(0)
    server.close()


async def _cancel_all_others() -> None:
    await asyncio.sleep(0)  # who is cancelled before the first step cannot close what it was given
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
