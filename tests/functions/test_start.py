"""What is deployed starts as the platform starts it, or says in one sentence why not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functions.bell import SECRET, VAPID_KEY

SOURCE = Path(__file__).parents[2] / "functions" / "main.py"
ENVIRON = {
    "PATH": os.environ["PATH"],
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_SECRET_KEY": "sb_secret_test",
    "PUBLIC_URL": "https://bell.example",
    "VAPID_PRIVATE_KEY": VAPID_KEY,
    "VAPID_SUBJECT": "mailto:bell@example.com",
    "WEBHOOK_SECRETS": SECRET,
}
PROBE = """
import sys
from functions_framework import create_app
client = create_app({target!r}, {source!r}).test_client()
response = client.post("/anywhere", data=b"{{}}")
print(response.status_code, response.get_json()["error"]["reason"])
heavy = {{"psycopg", "pycurl", "py_vapid", "requests"}}
print(sorted(heavy & set(sys.modules)))
"""


def start(target: str, **environ: str) -> subprocess.CompletedProcess[str]:
    program = PROBE.format(target=target, source=str(SOURCE))
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**ENVIRON, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("target", "answer"),
    [("webhook", "401 no_signature"), ("sweep", "401 no_signature"), ("api", "404 not_found")],
)
def test_each_function_is_served_and_loads_no_sender_and_no_second_gateway(target: str, answer: str) -> None:
    done = start(target)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [answer, "[]"]


@pytest.mark.parametrize("name", sorted(set(ENVIRON) - {"PATH"}))
def test_a_missing_setting_stops_the_start_with_one_sentence(name: str) -> None:
    done = start("webhook", **{name: ""})
    assert done.returncode == 1
    assert done.stderr.startswith(f"taskbell: {name} is missing: ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_push_origin_that_no_sender_would_use_stops_the_start_too() -> None:
    done = start("webhook", EXTRA_PUSH_ORIGINS="https://xn--pple-43d.example")
    assert done.returncode == 1
    assert done.stderr.startswith("taskbell: ")
    assert "Traceback" not in done.stderr
