"""What `taskbell dev` says in a terminal: where to begin, what happens, what was refused, the end."""

import json
import os
import pty
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from taskbell_local.function_log import FunctionLog
from tests.functions.local_stack import TASKBELL, status_of
from tests.stand_ins.ports import free_port
from tests.stand_ins.record import wait_until

START_SECONDS = 60
CTRL_C = b"\x03"
LOGGED = {"severity": "INFO", "time": "2026-11-22T17:47:03.815+00:00", "logger": "taskbell.intake"}
NOTHING = {"events": 0, "notified": 0, "dead": 0, "deliveries": 0, "accepted": 0, "more": False}


class Terminal:
    """Runs a command in a terminal of its own, and keeps what it shows."""

    def __init__(self, *command: str | Path) -> None:
        self._ours, theirs = pty.openpty()
        self._said = bytearray()
        # As a login does: the terminal's Ctrl-C goes to the group of whoever it belongs to.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command], stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while chunk := os.read(self._ours, 4096):
                self._said += chunk
        except OSError:  # the last one who held the other end let go
            return

    def said(self) -> str:
        return self._said.decode(errors="replace")

    def wait_for(self, words: str) -> None:
        self._until(lambda: words in self.said(), f"{words!r} is shown")

    def _until(self, so: Callable[[], bool], what: str) -> None:
        wait_until(so, what, timeout_seconds=START_SECONDS)

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def exit_code(self) -> int:
        code = self._process.wait(START_SECONDS)
        self._reader.join(START_SECONDS)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.type(CTRL_C)
            self.exit_code()
        os.close(self._ours)


def answered(stage: str = "webhook", status_code: int = 200, **fields: object) -> dict[str, object]:
    return {"message": "answered", "stage": stage, "status_code": status_code, "milliseconds": 12.3, **fields}


def told(*lines: dict[str, object]) -> list[str]:
    """Return what a person reads of these, without the time of day."""
    log = FunctionLog()
    shown = [log.readable(json.dumps({**LOGGED, **line})) for line in lines]
    return [line[len("HH:MM:SS ") :] for line in shown if line is not None]


@pytest.mark.parametrize(
    ("line", "readable"),
    [
        (
            answered(dispatched={**NOTHING, "events": 2, "notified": 1, "deliveries": 3, "accepted": 3}),
            "webhook  200, 2 changes, 1 notification, 3 deliveries: 3 accepted (12 ms)",
        ),
        (
            answered(dispatched={**NOTHING, "deliveries": 2, "accepted": 1, "gone": 1}),
            "webhook  200, 2 deliveries: 1 accepted, 1 gone (12 ms)",
        ),
        (
            answered(dispatched={**NOTHING, "events": 1, "notified": 1}),
            "webhook  200, 1 change, 1 notification, nothing to send now (12 ms)",
        ),
        (
            answered("sweep", dispatched={**NOTHING, "events": 1, "dead": 1}),
            "sweep    200, 1 change, 1 dead letter (12 ms)",
        ),
        (
            answered(status_code=401, severity="WARNING", reason="bad_signature"),
            "webhook  refused with 401: bad_signature (12 ms)",
        ),
        (
            answered(recorded={"recorded": False, "reason": "duplicate"}, dispatched=NOTHING),
            "webhook  200, row not taken (duplicate) (12 ms)",
        ),
        (
            {
                "message": "not accepted",
                "severity": "WARNING",
                "stage": "send",
                "push": "https://push.example 1a2b3c4d",
                "reason": "connection_failed",
            },
            "send     not accepted: push https://push.example 1a2b3c4d, reason connection_failed",
        ),
        (
            {"message": "failed", "severity": "ERROR", "error": "KeyError", "place": ["  File x, line 1\n"]},
            "intake   failed: error KeyError\n  File x, line 1",
        ),
    ],
)
def test_a_line_of_a_function_s_log_is_told_in_words(line: dict[str, object], readable: str) -> None:
    assert [readable] == told(line)


def test_what_is_no_news_is_not_told() -> None:
    due = {**NOTHING, "events": 1, "notified": 1}
    assert [] == told(answered("sweep", dispatched=NOTHING), {"message": "settled", "settled": 3})
    assert 1 == len(told({"message": "dispatched", **due}, answered(dispatched=due))), "not told twice"


def test_what_is_done_after_the_answer_is_told_when_it_is_done() -> None:
    assert [
        "webhook  200, and goes on working (12 ms)",
        "dispatch 300 deliveries: 300 accepted",
    ] == told(
        answered(unfinished=True, dispatched=None),
        {"message": "dispatched", "stage": "dispatch", "deliveries": 300, "accepted": 300},
    )


@pytest.mark.parametrize("line", ["Traceback (most recent call last):\n", "[1, 2]\n", '{"a": 1}\n', "\n"])
def test_what_a_function_did_not_log_is_shown_as_it_is(line: str) -> None:
    assert line.rstrip() == FunctionLog().readable(line)


def test_a_person_is_told_where_to_begin_what_was_refused_and_that_it_ended(tmp_path: Path) -> None:
    port = free_port()
    options = ("--port", str(port), "--data", tmp_path / "data", "--no-demo")
    with Terminal(TASKBELL, "dev", *options) as terminal:
        terminal.wait_for("Ctrl-C stops everything")
        assert terminal.said().startswith("taskbell: first start: making a database in ")
        assert f"taskbell: ready at http://localhost:{port}\r\n" in terminal.said()
        assert f"taskbell simulate --env {tmp_path}/data/dev.env\r\n" in terminal.said()
        assert 405 == status_of(f"http://localhost:{port}/webhook")
        terminal.wait_for("webhook  refused with 405: method_not_allowed (")
        assert '{"' not in terminal.said()
        terminal.type(CTRL_C)
        assert 0 == terminal.exit_code()
        farewell = f"taskbell: stopped; the next start finds everything in {tmp_path}/data.\r\n"
        assert terminal.said().endswith(farewell)
