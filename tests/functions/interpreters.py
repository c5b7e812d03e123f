"""The Pythons that a deployment may run on, as far as this machine has them.

In: a version. Out: an interpreter, or an environment with given packages. Touches the package index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
"""What pyproject.toml promises and Cloud Run offers."""
NO_INDEX = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ProxyError",
    "error sending request",
)


TRUSTING_THE_SYSTEM = {**os.environ, "UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1"}
"""uv trusts authorities of its own unless it is told; its newer versions go by the second name."""


def interpreter(version: str) -> Path:
    """Return a Python of that version: ours, one on PATH, or one of pyenv's; else skip."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    on_path = shutil.which(f"python{version}")
    candidates: list[str | Path] = [
        sys.executable,
        *([on_path] if on_path else []),
        *sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True),
    ]
    for candidate in candidates:
        told = subprocess.run(
            [candidate, "-c", "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        if told.stdout.strip() == version:
            return Path(candidate)
    pytest.skip(f"Python {version} is not on this machine: what is deployed was NOT TESTED with it")


def make_environment(python: Path, environment: Path, requirements: Path) -> None:
    """Make an environment with exactly these packages, their hashes checked; skip where there is no index.

    Our own Python installs with pip, as the platform does; the others with uv, which is much faster.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", environment], check=True, timeout=300)
    inside = environment / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    command: list[str | Path] = [uv, "pip", "install", "--compile-bytecode", "--python", inside]
    if str(python) == sys.executable or not uv.exists():
        subprocess.run([inside, "-m", "ensurepip"], check=True, timeout=300, capture_output=True)
        command = [inside, "-m", "pip", "install", "--disable-pip-version-check"]
    ask_index([*command, "--quiet", "--require-hashes", "--requirement", requirements])


def ask_index(command: Sequence[str | Path], timeout_seconds: float = 600) -> None:
    """Run a package client, which has to succeed; skip if it cannot reach its index, except in CI."""
    asked = subprocess.run(
        command, env=TRUSTING_THE_SYSTEM, capture_output=True, text=True, timeout=timeout_seconds
    )
    if not asked.returncode:
        return
    if any(sign in asked.stderr for sign in NO_INDEX) and not os.environ.get("CI"):
        pytest.skip("no package index here: what is deployed was not tested with its own requirements")
    pytest.fail(asked.stderr)
