"""One deployed function, served on a loopback port by the Functions Framework.

In: a target of functions/main.py and its settings. Out: a base URL that answers. It starts one group of
processes, starts it again should it end by itself, and stops it; it touches nothing else.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from taskbell_local.errors import StackError
from taskbell_local.function_settings import own_environment
from taskbell_local.places import FUNCTIONS

if TYPE_CHECKING:
    import aiohttp

STOP_SECONDS = 2.0
ANSWER_SECONDS = 30.0
POLL_SECONDS = 0.02
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
WELL_AFTER_SECONDS = 30.0
LONGEST_LINE_BYTES = 1 << 20

log = logging.getLogger(__name__)


class ServedFunction:
    """`target` on `port`. `threads` is how many requests it works on, or holds, at once.

    `show` is given each line that it logs; without it they go where ours go.
    """

    def __init__(
        self,
        target: str,
        port: int,
        settings: Mapping[str, str],
        run_folder: Path,
        threads: int,
        show: Callable[[str], None] | None = None,
    ) -> None:
        self.target = target
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._environment = {
            **own_environment(os.environ),
            **settings,
            "THREADS": str(threads),
            "PYTHONUNBUFFERED": "1",
            "XDG_RUNTIME_DIR": str(run_folder),  # gunicorn's control socket: here, not in the home folder
        }
        self._run_folder = run_folder
        self._show = show
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the framework, which leads its group; None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process; it answers a little later."""
        self._run_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "taskbell_local.function_main",
            *f"--target {self.target} --host 127.0.0.1 --port {self._port} --source".split(),
            str(FUNCTIONS / "main.py"),
            stdin=asyncio.subprocess.PIPE,  # ends when we do
            stderr=asyncio.subprocess.PIPE if self._show else None,
            limit=LONGEST_LINE_BYTES,
            env=self._environment,
            start_new_session=True,  # its own group; Ctrl-C reaches us alone, and we stop it in order
        )
        if self._show is not None and self._process.stderr is not None:
            self._listening = asyncio.create_task(_listen(self._process.stderr, self._show))

    async def answers(self, session: "aiohttp.ClientSession", path: str) -> None:
        """Return when it answers `path` without a fault; raises StackError if it ends or takes too long."""
        import aiohttp

        for _ in range(int(ANSWER_SECONDS / POLL_SECONDS)):
            if self._process is None or self._process.returncode is not None:
                break
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(self.url + path) as answer:
                    if answer.status < 500:
                        return
            await asyncio.sleep(POLL_SECONDS)
        raise StackError(
            "function_failed", f"The function {self.target} did not start; what it said stands above."
        )

    async def keep(self) -> None:
        """Start it again whenever it ends by itself, pausing longer each time in a row, until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while self._process is not None:
            started = clock()
            code = await self._process.wait()
            if clock() - started > WELL_AFTER_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.warning("function %s ended (code %s); starting it again", self.target, code)
            self._end_group(signal.SIGKILL)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            await self.start()

    async def stop(self) -> None:
        """Stop it, at once if asking takes too long. What it leaves undone stays leased."""
        if self._process is None:
            return
        self._end_group(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            pass
        self._end_group(signal.SIGKILL)
        await self._process.wait()
        if self._listening is not None:
            await asyncio.wait([self._listening], timeout=STOP_SECONDS)
            self._listening.cancel()
        self._process = None

    def _end_group(self, how: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, how)


async def _listen(lines: asyncio.StreamReader, show: Callable[[str], None]) -> None:
    while True:
        try:
            line = await lines.readline()
        except ValueError:  # longer than anybody reads; the next one may not be
            continue
        if not line:
            return
        show(line.decode(errors="replace"))
