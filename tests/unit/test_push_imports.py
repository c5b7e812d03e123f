"""A cold start does not pay for what only the first push needs."""

import subprocess
import sys

HEAVY = (
    "pycurl",
    "py_vapid",
    "cryptography",
    "certifi",
    "ssl",
)
PEERS = ("aiohttp", "http_ece", "pywebpush", "requests")
PROGRAM = f"""
import sys
import taskbell.push
taskbell.push.Sender(
    taskbell.push.Vapid(("key",), "mailto:operator@example.com"),
    allowed_origins=taskbell.push.AllowedOrigins(),
)
print(*[name for name in {HEAVY + PEERS!r} if name in sys.modules])
"""


def test_importing_and_constructing_loads_nothing_heavy() -> None:
    loaded = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert "" == loaded.stdout.strip()


def test_encrypting_loads_no_other_sender() -> None:
    program = (
        "import sys, taskbell.push.record; print(*[name for name in sys.argv[1:] if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program, *PEERS], capture_output=True, text=True, check=True
    )
    assert "" == loaded.stdout.strip()
