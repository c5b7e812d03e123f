"""Bundles Supabase's official Realtime client for the page, from npm packages by name and exact version.

In: a folder. Out: `realtime.js` in it, one minified ES module. Touches: that folder, a temporary one, and the
npm registry that npm is set up for. No script of any package is run.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from taskbell_local.errors import StackError

CLIENT = (
    "@supabase/realtime-js@2.119.1"  # with @supabase/phoenix 0.4.5 and tslib 2.8.1, which it names exactly
)
BUNDLER = "esbuild@0.28.2"
ENTRY = 'export { RealtimeClient } from "@supabase/realtime-js";\n'
BANNER = f"/*! {CLIENT}, MIT licence, Copyright (c) Supabase */"
PATIENCE_SECONDS = 180


def bundle(folder: Path) -> Path:
    """Write `folder`/realtime.js, which exports RealtimeClient, and return its path.

    The same versions give the same bytes. Raises StackError where npm is missing or cannot do it.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise StackError("no_npm", "npm is missing: install Node.js to bundle Supabase's Realtime client.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="taskbell-realtime-") as name:
        work = Path(name)
        (work / "package.json").write_text('{"private": true}\n')
        (work / "entry.js").write_text(ENTRY)
        _run(work, npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", CLIENT, BUNDLER)
        _run(
            work,
            str(work / "node_modules" / ".bin" / "esbuild"),
            "entry.js",
            *["--bundle", "--format=esm", "--minify", "--target=es2022", "--outfile=realtime.js"],
            f"--banner:js={BANNER}",
        )
        return Path(shutil.move(work / "realtime.js", folder / "realtime.js"))


def _run(work: Path, *command: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=work, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(
            "bundling_failed", f"Supabase's Realtime client was not bundled: {type(error).__name__}."
        ) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise StackError(
            "bundling_failed",
            f"Supabase's Realtime client was not bundled: {said[0] if said else 'npm says nothing'}.",
        )
