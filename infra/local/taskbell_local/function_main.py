"""A function's process: the Functions Framework as deployed, tied to the life of the command that started it.

In: the framework's own arguments and environment, and a pipe on standard input. The pipe ends when the
starter does, however it died; then the function stops too, and leaves no orphan with an open port behind.
"""

import os
import signal
import threading
import time

GRACE_SECONDS = 2.0


def main() -> None:
    """Serve until told to stop or left alone."""
    threading.Thread(target=_follow_starter, daemon=True).start()
    from functions_framework._cli import _cli

    _cli(prog_name="functions-framework")


def _follow_starter() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
