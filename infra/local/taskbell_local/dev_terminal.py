"""What `taskbell dev` says to whoever started it: where to go first, what the functions do, that it ended.

In: options, lines of the functions' logs. Out: lines on the terminal. Touches nothing else.
"""

import contextlib
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from taskbell_local import places
from taskbell_local.dev_conditions import Options
from taskbell_local.function_log import FunctionLog

WELCOME = """\

  Open that address and click “Notify this browser”. Then let something ring, from another terminal:
      {simulate}
  What the functions do is told below. Ctrl-C stops everything; what was made stays in {data}.
"""
TUNNEL = """\
  A phone opens {public_url}, and whoever else knows that address is the demo's user too.
"""


def say_starting(options: Options) -> None:
    """Tell why the first start takes longer."""
    if not (options.data / "postgres").exists():
        print(f"taskbell: first start: making a database in {_short(options.data)}", flush=True)


def say_ready(options: Options) -> None:
    """Tell where the page is, and what to do there."""
    welcome = WELCOME.format(simulate=_command("simulate", options), data=_short(options.data))
    tunnel = TUNNEL.format(public_url=options.public_url) if options.public_url else ""
    print(f"taskbell: ready at {options.url}\n{welcome}{tunnel}", flush=True)


def say_farewell(options: Options) -> None:
    """Tell that it ended as it should."""
    with contextlib.suppress(OSError):  # the terminal was closed
        print(f"taskbell: stopped; the next start finds everything in {_short(options.data)}.", flush=True)


def show_readable() -> Callable[[str], None]:
    """Return what shows the lines of one function's log as a person reads them."""
    log = FunctionLog()

    def show(line: str) -> None:
        if (readable := log.readable(line)) is not None:
            with contextlib.suppress(OSError):  # the terminal was closed
                print(readable, file=sys.stderr, flush=True)

    return show


def _command(name: str, options: Options) -> str:
    """Return how to call another command from here, as this one was called."""
    found = shutil.which("taskbell")
    same = found is not None and Path(found).resolve() == Path(sys.argv[0]).resolve()
    words = ["taskbell" if same else _short(Path(sys.argv[0]).absolute()), name]
    if options.data != places.DATA:
        words += ["--env", _short(options.data / places.ENV_FILE)]
    return shlex.join(words)


def _short(path: Path) -> str:
    """Return a path as seen from here, where that is shorter."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
