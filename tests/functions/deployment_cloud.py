"""A cloud to deploy to: programs on PATH that take what they are handed, and then really serve it.

In: what `deploy.sh` says to gcloud and firebase. Out: each service by `functions-framework --target`, with
its own settings, the secrets that its account may read, and `functions/requirements.txt`. Touches: a folder,
the package index, a loopback port a service.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from taskbell_local.ports import free_ports
from tests.functions import deployment_programs
from tests.functions.interpreters import interpreter, make_environment

START_SECONDS = 120
FUNCTIONS = ("webhook", "api", "sweep")


class Cloud:
    """A project of Google's; a context manager, at whose end its services end."""

    def __init__(self, folder: Path, trusts: Path) -> None:
        self.folder, self._trusts = folder, trusts
        self.programs, self.hosting = folder / "bin", folder / "hosting"
        ports = zip(FUNCTIONS, free_ports(len(FUNCTIONS)), strict=True)
        self.addresses = {f"taskbell-{name}": f"http://127.0.0.1:{port}" for name, port in ports}
        self._running = contextlib.ExitStack()
        self.programs.mkdir(parents=True)
        (folder / "state.json").write_text(json.dumps({"addresses": self.addresses}))
        for name in ("gcloud", "firebase", "terraform"):
            words: list[str | Path] = [sys.executable, deployment_programs.__file__, folder, name]
            program = self.programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n')
            program.chmod(0o755)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def state(self) -> dict[str, Any]:
        """What it was told so far."""
        state: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return state

    def logs(self) -> str:
        """Return what all functions printed."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    def build(self) -> Path:
        """Make one environment from the source that the services share; returns its folder."""
        services = self.state["services"].values()
        [version] = {f"3.{service['python']}" for service in services}
        requirements, *others = [Path(service["source"], "requirements.txt") for service in services]
        assert {requirements.read_bytes()} == {other.read_bytes() for other in others}
        try:
            python = interpreter(version)
        except pytest.skip.Exception as missing:
            print(f"cloud: {missing}; the Python of these tests stands in")
            python = Path(sys.executable)
        environment = self.folder / "environment"
        make_environment(python, environment, requirements)
        return environment

    def serve(self, environment: Path) -> None:
        """Start every service, and wait until each answers."""
        started = {
            name: self._running.enter_context(self._served(environment, name, service))
            for name, service in self.state["services"].items()
        }
        for name, process in started.items():
            self._wait(name, process)

    @contextlib.contextmanager
    def _served(
        self, environment: Path, name: str, service: dict[str, Any]
    ) -> Iterator[subprocess.Popen[bytes]]:
        port = self.addresses[name].rpartition(":")[2]
        framework = [environment / "bin" / "functions-framework", "--target", service["function"]]
        with (self.folder / f"{name}.log").open("wb") as said:
            process = subprocess.Popen(
                [*framework, "--host", "127.0.0.1", "--port", port],
                cwd=service["source"],
                env=self.environ(service),
                stdout=said,
                stderr=said,
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def environ(self, service: dict[str, Any]) -> dict[str, str]:
        """Return what a service finds in its environment: a secret only if its account may read it."""
        secrets = self.state["secrets"]
        for secret in service["secrets"].values():
            assert service["account"] in secrets[secret]["readers"], secret
        return {
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.folder),
            "SSL_CERT_FILE": str(self._trusts),
            **service["settings"],
            **{name: secrets[secret]["value"] for name, secret in service["secrets"].items()},
        }

    def _wait(self, name: str, process: subprocess.Popen[bytes]) -> None:
        address, ends_at = self.addresses[name], time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < ends_at:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                try:
                    urllib.request.urlopen(address, timeout=30).close()  # noqa: S310  # our own
                except urllib.error.HTTPError as refused:
                    refused.close()
                return
            time.sleep(0.02)
        raise AssertionError(f"{name} did not start: {(self.folder / f'{name}.log').read_text()[-2000:]}")
