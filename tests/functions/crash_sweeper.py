"""One function's worth of sweeping, in a process of its own, without a web server around it.

In: settings in the environment; a line on standard input for each run. Out: a line with the counts of each.
Touches what the dispatcher touches.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

RUN_SECONDS = 25.0  # less than a lease, however slow the machine

PROGRAM = f"""
import json, os, sys
from taskbell.app import start
application = start(os.environ)
for _ in sys.stdin:
    print(json.dumps(application.dispatcher.run({RUN_SECONDS}).as_json()), flush=True)
application.close()
"""


class Sweeper:
    """A running process; `begin` a run, `end` it and have its counts."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **settings},
            text=True,
        )
        # A run before there is anything to do: all is imported and connected when it matters.
        self.begin()
        self.end()

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        counts: dict[str, Any] = json.loads(self._process.stdout.readline())
        return counts

    def stop(self) -> int:
        """Let it go home and return its exit code."""
        self._process.communicate(timeout=60)
        return self._process.returncode
