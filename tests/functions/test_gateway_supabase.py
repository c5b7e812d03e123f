"""The gateway through Supabase on a network that breaks, hangs and drips, and among many users at once."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from taskbell.errors import GatewayError
from taskbell.gateway import supabase
from taskbell.gateway.supabase import SupabaseGateway
from taskbell.model import User
from tests.database.database import Database
from tests.database.story import Story
from tests.stand_ins.postgrest import PostgREST

KEY = ec.generate_private_key(ec.SECP256R1())
SECRET = "sb_secret_test"
HEALTH = "taskbell_health"
SOON = 0.5  # seconds, of a caller in a hurry


@dataclass
class Line:
    """The gateway, the project's REST interface, and what the network does to each call in turn."""

    gateway: SupabaseGateway
    rest: PostgREST
    database: Database
    script: list[Callable[[Any], bool]] = field(default_factory=list)
    heard: list[tuple[str, str, str]] = field(default_factory=list)

    def next(self, handler: Any) -> bool:
        """Note the version, the key and the token of a request, and do to it what comes next."""
        told = handler.headers
        self.heard.append((handler.request_version, told["apikey"], told["authorization"]))
        return self.script.pop(0)(handler) if self.script else False

    def ask(self, *script: Callable[[Any], bool], seconds: float | None = None) -> object:
        self.script = list(script)
        return self.gateway.rpc(HEALTH, {}, timeout_seconds=seconds)

    def refused(self, *script: Callable[[Any], bool], seconds: float | None = None) -> str:
        """Ask in vain; returns the reason."""
        with pytest.raises(GatewayError) as caught:
            self.ask(*script, seconds=seconds)
        return caught.value.reason


@pytest.fixture
def line(database: Database) -> Iterator[Line]:
    rest = PostgREST(
        database.url, secret_key=SECRET, publishable_key="sb_publishable_test", verify_key=KEY.public_key()
    )
    rest.keeps_connections = True
    with rest, contextlib.closing(SupabaseGateway(rest.url, SECRET)) as gateway:
        line = Line(gateway, rest, database)
        rest.misbehave = line.next
        yield line


def signed_in(user_id: str) -> User:
    claims = {"sub": user_id, "role": "authenticated", "aud": "authenticated", "exp": int(time.time()) + 600}
    return User(user_id, jwt.encode(claims, KEY, algorithm="ES256"), claims)


def fine(_: Any) -> bool:
    return False


def reset(handler: Any) -> bool:
    """Break the connection off without a word."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    return True


def reset_within_the_answer(handler: Any) -> bool:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"ok":')
    handler.wfile.flush()
    return reset(handler)


def drip(handler: Any) -> bool:
    """Answer a byte at a time, each of them well in time."""
    handler.close_connection = True
    with contextlib.suppress(OSError):
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n" + b"null".rjust(400):
            handler.connection.sendall(bytes([byte]))
            time.sleep(SOON / 5)
    return True


def hang(handler: Any) -> bool:
    """Say nothing until the caller hangs up."""
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.connection.recv(1)
    return True


def answer(status: int, body: str, content_type: str = "application/json") -> Callable[[Any], bool]:
    def send(handler: Any) -> bool:
        handler.answer(status, body, content_type)
        return True

    return send


@pytest.mark.parametrize("broken", [reset, reset_within_the_answer])
def test_a_connection_that_breaks_is_made_again_once(line: Line, broken: Callable[[Any], bool]) -> None:
    assert line.ask(broken, fine) is not None
    assert 2 == len(line.heard)
    assert "database_unavailable" == line.refused(broken, broken, fine)
    assert [fine] == line.script


@pytest.mark.parametrize(
    ("status", "body", "content_type", "reason"),
    [
        (400, '{"code":"P0001","message":"no"}', "application/json", "database_refused"),
        (500, '{"code":"57014","message":"late"}', "application/json", "database_unavailable"),
        (503, '{"code":"PGRST001","message":"down"}', "application/json", "database_unavailable"),
        (502, "<html>Bad gateway</html>", "text/html", "database_unavailable"),
        (429, "<html>Too many requests</html>", "text/html", "database_unavailable"),
        (408, "<html>Too late</html>", "text/html", "database_unavailable"),
        (400, "<html>Bad request</html>", "text/html", "database_refused"),
        (403, "<html>Forbidden</html>", "text/html", "database_refused"),
    ],
)
def test_what_is_answered_is_never_asked_again(
    line: Line, status: int, body: str, content_type: str, reason: str
) -> None:
    assert reason == line.refused(answer(status, body, content_type), fine)
    assert 1 == len(line.heard)


@pytest.mark.parametrize("late", [hang, drip])
def test_nothing_outlasts_its_time_however_it_is_late(line: Line, late: Callable[[Any], bool]) -> None:
    started = time.monotonic()
    assert "database_unavailable" == line.refused(late, fine, seconds=SOON)
    assert SOON <= time.monotonic() - started < 15
    assert 1 == len(line.heard)
    assert line.ask() is not None


def test_a_call_has_five_seconds_of_which_two_may_pass_until_there_is_a_connection() -> None:
    assert (2.0, 5.0) == (supabase.CONNECT_SECONDS, supabase.TOTAL_SECONDS)


@contextlib.contextmanager
def silent(host: str, port: int = 0) -> Iterator[int]:
    """A port at which nobody takes connections, nor refuses them."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind((host, port))
        full.listen(0)
        for _ in range(4):  # fill the queue of those who wait to be taken
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def seconds_until_given_up(url: str) -> float:
    started = time.monotonic()
    with contextlib.closing(SupabaseGateway(url, SECRET)) as gateway, pytest.raises(GatewayError) as caught:
        gateway.rpc(HEALTH, {}, timeout_seconds=2 * SOON)
    assert "database_unavailable" == caught.value.reason
    return time.monotonic() - started


def test_a_project_that_takes_no_connections_is_given_up_in_time() -> None:
    with silent("127.0.0.1") as port:
        assert seconds_until_given_up(f"http://127.0.0.1:{port}") < 15


def test_its_many_addresses_share_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(silent("127.0.0.1"))
        hosts = ["127.0.0.1", *(f"127.0.0.{last}" for last in range(2, 8))]
        for host in hosts[1:]:
            stack.enter_context(silent(host, port))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in hosts]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        # A second for each would be seven.
        assert seconds_until_given_up(f"http://project.example:{port}") < 6


def test_an_address_that_answers_is_found_behind_one_that_does_not(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(line.rest.url.rpartition(":")[2])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.9", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with contextlib.closing(SupabaseGateway(f"http://project.example:{port}", SECRET)) as gateway:
        assert gateway.rpc(HEALTH, {}) is not None


def test_each_call_carries_its_own_token_and_the_shared_client_keeps_ours(line: Line) -> None:
    user = signed_in(line.database.user())
    line.gateway.rpc(HEALTH, {})
    line.gateway.rpc("taskbell_inbox", {}, user)
    line.gateway.rpc(HEALTH, {})
    tokens = [SECRET, user.token, SECRET]
    assert [("HTTP/1.1", SECRET, f"Bearer {token}") for token in tokens] == line.heard


def test_many_threads_with_different_users_see_each_their_own_rows_alone(line: Line) -> None:
    story = Story(line.database)
    names = {}
    for number in range(6):
        user_id = line.database.user()
        story.new_contact(f"Contact of {number}", user_id)
        names[user_id] = f"Contact of {number}"
    users = {user_id: signed_in(user_id) for user_id in names}
    turns = [list(users)[turn % len(users)] for turn in range(60)]

    def seen(user_id: str) -> list[str]:
        book = line.gateway.rpc("taskbell_contacts", {}, users[user_id])
        line.gateway.rpc(HEALTH, {})  # the service, in between
        assert isinstance(book, dict)
        contacts = book["contacts"]
        assert isinstance(contacts, list)
        return [str(contact["name"]) for contact in contacts if isinstance(contact, dict)]

    with ThreadPoolExecutor(10) as pool:
        assert [[names[user_id]] for user_id in turns] == list(pool.map(seen, turns))
