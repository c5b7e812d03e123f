"""Waits for changes of inboxes by LISTEN, for answers that are held until something changes.

In: a user id and a question. Out: whether the answer became yes in time. Touches Postgres: one connection and
one thread for the whole process, started by the first who waits. A notification can be lost only with that
connection, so the thread looks after it for all who wait: they ask again when it has been made anew.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

CHANNEL = "taskbell_inbox"
RECONNECT_SECONDS = 1.0
CHECK_SECONDS = 5.0
"""How often a connection on which nothing is heard is asked whether it is still there."""

CLOSING_SECONDS = 0.5


class InboxListener:
    """Hears which users' inboxes changed and wakes whoever waits for them; safe for many threads."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._lock = threading.Lock()
        self._waiting: dict[str, set[threading.Event]] = {}
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._closed = threading.Event()
        self._listening = threading.Event()

    def wait(self, user_id: str, changed: Callable[[], bool], timeout_seconds: float) -> bool:
        """Return True as soon as `changed()` does, asked at once and after each change; else False.

        `timeout_seconds` bounds the wait; what `changed` raises is raised.
        """
        ends_at = time.monotonic() + timeout_seconds
        heard = threading.Event()
        self._register(user_id, heard)
        try:
            # Registered first and asked second: a change between the two is heard.
            while not changed():
                left = ends_at - time.monotonic()
                if left <= 0 or self._closed.is_set():
                    return False
                heard.wait(left)
                heard.clear()
            return True
        finally:
            self._forget(user_id, heard)

    def wake(self, user_id: str) -> None:
        """Let whoever waits for this user ask again at once."""
        with self._lock:
            for heard in self._waiting.get(user_id, ()):
                heard.set()

    def close(self) -> None:
        """Stop listening and let everybody go."""
        self._closed.set()
        self._wake_all()
        thread = self._thread
        if thread is not None and self._pid == os.getpid():
            thread.join(timeout=5)

    def _register(self, user_id: str, heard: threading.Event) -> None:
        with self._lock:
            if self._pid != os.getpid():
                # First call, or first after a fork, where the parent's thread does not exist.
                self._pid = os.getpid()
                self._waiting = {}
                self._listening = threading.Event()
                self._thread = threading.Thread(target=self._listen, name="taskbell-inbox", daemon=True)
                self._thread.start()
            self._waiting.setdefault(user_id, set()).add(heard)
        self._listening.wait(1.0)

    def _forget(self, user_id: str, heard: threading.Event) -> None:
        with self._lock:
            waiting = self._waiting.get(user_id, set())
            waiting.discard(heard)
            if not waiting:
                self._waiting.pop(user_id, None)

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                with psycopg.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=2,
                    application_name="taskbell inbox",
                    keepalives_idle=10,
                    keepalives_interval=5,
                    keepalives_count=3,
                    tcp_user_timeout=5000,  # milliseconds
                ) as connection:
                    self._hear(connection)
            except psycopg.Error:
                self._listening.clear()
                self._closed.wait(RECONNECT_SECONDS)

    def _hear(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"listen {CHANNEL}")
        self._listening.set()
        self._wake_all()  # something may have changed while nobody listened
        checked_at = time.monotonic()
        while not self._closed.is_set():
            for notify in connection.notifies(timeout=CLOSING_SECONDS):
                self._heard(notify.payload)
            if time.monotonic() - checked_at >= CHECK_SECONDS:
                connection.execute("select")
                checked_at = time.monotonic()

    def _heard(self, payload: str) -> None:
        try:
            user_ids = json.loads(payload)
        except ValueError:
            user_ids = None
        if not isinstance(user_ids, list):
            self._wake_all()
            return
        for user_id in user_ids:
            self.wake(str(user_id))

    def _wake_all(self) -> None:
        with self._lock:
            for waiting in self._waiting.values():
                for heard in waiting:
                    heard.set()
