"""The official Realtime client as the page gets it: one module, from packages by exact version."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from taskbell_local import realtime_client
from taskbell_local.errors import StackError


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed: nothing can be bundled")
def test_the_bundle_is_one_module_that_names_its_origin(tmp_path: Path) -> None:
    bundled = realtime_client.bundle(tmp_path / "vendor")
    assert tmp_path / "vendor" / "realtime.js" == bundled
    assert [bundled] == list(bundled.parent.iterdir())
    text = bundled.read_text()
    assert text.startswith(f"/*! {realtime_client.CLIENT}, MIT licence")
    assert not any(line.lstrip().startswith("import ") for line in text.splitlines())
    script = "import(process.argv[1]).then((all) => console.log(Object.keys(all), all.RealtimeClient.length))"
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script, str(bundled)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "[ 'RealtimeClient' ] 2" == said.stdout.strip()


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="npm is missing: install Node"):
        realtime_client.bundle(tmp_path)


def test_an_npm_that_fails_says_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error code E404' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(StackError, match="not bundled: npm error code E404"):
        realtime_client.bundle(tmp_path / "vendor")
