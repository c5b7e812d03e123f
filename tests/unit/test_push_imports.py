"""A cold start does not pay for what only the first push needs."""

import subprocess
import sys

HEAVY = (
    "pycurl",
    "http_ece",
    "pywebpush",
    "py_vapid",
    "cryptography",
    "requests",
    "aiohttp",
    "certifi",
    "ssl",
)
PROGRAM = f"""
import sys
import taskbell.push
taskbell.push.Sender(
    taskbell.push.Vapid(("key",), "mailto:operator@example.com"),
    allowed_origins=taskbell.push.AllowedOrigins(),
)
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""


def test_importing_and_constructing_loads_nothing_heavy() -> None:
    loaded = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert "" == loaded.stdout.strip()
