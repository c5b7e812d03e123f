"""infra/gcp/deploy.sh, with programs for gcloud and firebase that write down how they are called."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DEPLOY = Path(__file__).parents[2] / "infra" / "gcp" / "deploy.sh"
SECRETS = {
    "SUPABASE_SECRET_KEY": "sb_secret_hidden",
    "VAPID_PRIVATE_KEY": "hidden-private-key",
    "WEBHOOK_SECRETS": "whsec_hidden whsec_also",
}
GIVEN = {
    "PROJECT_ID": "bell-project",
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x",
    "VAPID_SUBJECT": "mailto:o'hara@bell.dev",
}
RECORDER = f"""#!{sys.executable}
import json, pathlib, sys
log = pathlib.Path(__file__).with_name("calls.jsonl")
words = [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]
call = {{"words": words, "input": ""}}
if "versions" in words:
    call["input"] = sys.stdin.read()
if "--env-vars-file" in words:
    call["settings"] = pathlib.Path(words[words.index("--env-vars-file") + 1]).read_text()
    source = pathlib.Path(words[words.index("--source") + 1])
    call["source"] = sorted(str(file.relative_to(source)) for file in source.rglob("*") if file.is_file())
if words[0] == "firebase":
    call["hosting"] = json.loads(pathlib.Path("firebase.json").read_text())
    call["page"] = sorted(str(file) for file in pathlib.Path("web").rglob("*") if file.is_file())
with log.open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
if "services" in words and "describe" in words:
    print("https://taskbell-webhook.run.app")
"""


class Call:
    """One call of a program."""

    def __init__(self, line: str) -> None:
        recorded = json.loads(line)
        self.words: list[str] = recorded.pop("words")
        self.recorded = recorded

    def option(self, name: str) -> str:
        return self.words[self.words.index(name) + 1]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name in ("gcloud", "firebase"):
        (tmp_path / name).write_text(RECORDER)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def run(programs: Path, **environ: str) -> tuple[subprocess.CompletedProcess[str], list[Call]]:
    done = subprocess.run(
        ["bash", DEPLOY],
        env={"PATH": f"{programs}:{os.environ['PATH']}", **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    log = programs / "calls.jsonl"
    return done, [Call(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_it_deploys_three_functions_from_one_source_each_as_it_should_be(programs: Path) -> None:
    done, calls = run(programs, **GIVEN, **SECRETS)
    assert done.returncode == 0, done.stderr
    deployed = {
        call.option("--function"): call for call in calls if "deploy" in call.words and "run" in call.words
    }
    assert set(deployed) == {"webhook", "api", "sweep"}
    assert {name for name, call in deployed.items() if "--allow-unauthenticated" in call.words} == {
        "webhook",
        "api",
    }
    assert "--no-allow-unauthenticated" in deployed["sweep"].words
    for name, call in deployed.items():
        assert call.option("--service-account") == f"taskbell-{name}@bell-project.iam.gserviceaccount.com"
        given = set(re.findall(r"^([A-Z_]+): ", call.recorded["settings"], re.MULTILINE))
        referenced = {pair.partition("=")[0] for pair in call.option("--set-secrets").split(",")}
        assert referenced == set(SECRETS)
        assert call.option("--build-service-account").endswith(
            "/taskbell-build@bell-project.iam.gserviceaccount.com"
        )
        assert given == {
            "EXTRA_PUSH_ORIGINS",
            "PUBLIC_URL",
            "SUPABASE_PUBLISHABLE_KEY",
            "SUPABASE_URL",
            "THREADS",
            "VAPID_SUBJECT",
        }
        assert "VAPID_SUBJECT: 'mailto:o''hara@bell.dev'" in call.recorded["settings"]
        assert {"main.py", "requirements.txt", "taskbell/app.py"} <= set(call.recorded["source"])
        assert not any("__pycache__" in file for file in call.recorded["source"])


def test_no_secret_is_an_argument_or_printed(programs: Path) -> None:
    done, calls = run(programs, **GIVEN, **SECRETS)
    told = done.stdout + done.stderr + " ".join(shlex.join(call.words) for call in calls)
    assert [value for value in SECRETS.values() if value in told] == []
    written = {
        call.words[call.words.index("add") + 1]: call.recorded["input"]
        for call in calls
        if "versions" in call.words
    }
    assert written == {f"taskbell-{name.lower().replace('_', '-')}": value for name, value in SECRETS.items()}


def test_secrets_that_are_not_given_stay_as_they_are(programs: Path) -> None:
    done, calls = run(programs, **GIVEN)
    assert done.returncode == 0, done.stderr
    assert not [call for call in calls if "versions" in call.words]


def test_the_page_is_served_with_its_policy_and_without_caches(programs: Path) -> None:
    done, calls = run(programs, **GIVEN, REGION="europe-west4")
    assert done.returncode == 0, done.stderr
    [call] = [call for call in calls if call.words[0] == "firebase"]
    hosting = call.recorded["hosting"]["hosting"]
    assert hosting["rewrites"] == [
        {"source": "/v1/**", "run": {"serviceId": "taskbell-api", "region": "europe-west4"}}
    ]
    headers = {header["key"]: header["value"] for header in hosting["headers"][0]["headers"]}
    assert headers["Cache-Control"] == "no-cache"
    assert (
        "connect-src 'self' https://abc.supabase.co wss://abc.supabase.co;"
        in (headers["Content-Security-Policy"])
    )
    assert {"web/index.html", "web/sw.js", "web/manifest.webmanifest"} <= set(call.recorded["page"])
    assert "web/types.d.ts" not in call.recorded["page"]


def test_it_ends_with_the_next_step(programs: Path) -> None:
    done, _ = run(programs, **GIVEN)
    statement = "vault.create_secret('https://taskbell-webhook.run.app/webhook', 'taskbell_webhook_url');"
    assert statement in done.stdout
    assert "taskbell doctor --env FILE" in done.stdout


@pytest.mark.parametrize("name", GIVEN)
def test_a_missing_setting_stops_it_before_anything_is_touched(programs: Path, name: str) -> None:
    done, calls = run(programs, **{key: value for key, value in GIVEN.items() if key != name})
    assert done.returncode != 0
    assert name in done.stderr
    assert calls == []


def test_the_shell_and_its_linter_have_no_complaint() -> None:
    subprocess.run(["bash", "-n", DEPLOY], check=True, timeout=10)
    beside = str(Path(sys.executable).parent)
    linter = shutil.which("shellcheck", path=f"{beside}:{os.environ['PATH']}")
    if linter is None:
        pytest.skip("shellcheck is missing: deploy.sh is only parsed")
    done = subprocess.run([linter, DEPLOY], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_gcloud_knows_the_options(programs: Path) -> None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        pytest.skip("gcloud is missing: whether it knows the options is not checked")
    _, calls = run(programs, **GIVEN)
    deploy = next(call for call in calls if "run" in call.words and "deploy" in call.words)
    shown = subprocess.run(
        [gcloud, "run", "deploy", "--help"],
        env={**os.environ, "CLOUDSDK_CONFIG": str(programs), "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    known = re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout).replace("[no-]", "")
    used = {word.replace("--no-", "--") for word in deploy.words if word.startswith("--")}
    assert {option for option in used if f"{option}" not in known} == set()
