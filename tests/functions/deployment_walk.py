"""Somebody who types what the README says, in a clone of their own, and watches the clock.

In: commands. Out: what they printed, how long each took, and everything that anybody could have read.
Touches: the clone, and whatever the commands do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from tests.database.test_supabase_cli import CLI
from tests.functions.deployment_readme import ROOT

HANDED_OVER = ("functions", "infra", "migrations", "web")
T = TypeVar("T")
DOCTOR = "taskbell doctor --env taskbell.env"
_SECTION = re.compile(r"^([A-Z][\w-]*)$")
_FINDING = re.compile(r"^  ([✓✗–]) (.+?)  +(.*)$")  # noqa: RUF001  a dash, on purpose


class Walk:
    """A clone below `folder`, and a shell in it; `seconds` is told of each command in order."""

    def __init__(self, folder: Path, programs: list[Path], environ: Mapping[str, str]) -> None:
        self.clone = folder / "taskbell"
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        for name in HANDED_OVER:
            shutil.copytree(ROOT / name, self.clone / name, symlinks=True, ignore=ignored)
        path = [*programs, Path(sys.executable).parent, os.environ["PATH"]]
        self._environ = {**os.environ, "PATH": ":".join(map(str, path)), **environ}
        self.seconds: list[tuple[str, float]] = []
        self.typed: list[str] = []
        self.read: list[str] = []

    def run(self, command: str, *, may_fail: bool = False, **environ: str) -> str:
        """Type a command, which has to succeed; returns what it printed."""
        self.typed.append(command)
        done = self.timed(
            command.splitlines()[-1],
            lambda: subprocess.run(
                ["bash", "-c", command],
                cwd=self.clone,
                env={**self._environ, **environ},
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                timeout=300,
            ),
        )
        self.read += [done.stdout, done.stderr]
        assert may_fail or done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def timed(self, what: str, do: Callable[[], T]) -> T:
        """Do something that takes its time, and note how long."""
        began = time.perf_counter()
        done = do()
        self.seconds.append((what, time.perf_counter() - began))
        return done

    def tell(self) -> None:
        """Print the seconds of each step, and their sum."""
        for what, seconds in self.seconds:
            print(f"walk: {seconds:6.1f} s  {what[:90]}")
        print(f"walk: {sum(seconds for _, seconds in self.seconds):6.1f} s  in all")


def findings(report: str) -> dict[str, list[tuple[str, str]]]:
    """Return mark and title of each line of a doctor's report by section."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in report.splitlines():
        if heading := _SECTION.match(line):
            found[heading[1]] = []
        elif finding := _FINDING.match(line):
            found[list(found)[-1]].append((finding[1], finding[2]))
    return found


def supabase_program() -> Path:
    """Return the folder of Supabase's command line, from npm; else skip."""
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npm is not installed: the README's way to a deployment was NOT WALKED")
    found = subprocess.run(
        [npx, "--yes", "--package", CLI, "--", "sh", "-c", "command -v supabase"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if found.returncode != 0:
        pytest.skip(f"npm could not get {CLI}: the README's way to a deployment was NOT WALKED")
    return Path(found.stdout.strip()).parent
