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

from taskbell_local import page_build
from taskbell_local.page_files import ASK_AGAIN, FOREVER

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
    public = pathlib.Path(call["hosting"]["hosting"]["public"])
    call["page"] = sorted(file.relative_to(public).as_posix() for file in public.rglob("*") if file.is_file())
with log.open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
if "run" in words and "services" in words and "describe" in words:
    print("https://" + words[words.index("describe") + 1] + ".run.app")
if "jobs" in words and "describe" in words:
    sys.exit(not pathlib.Path(__file__).with_name("job").exists())
if "jobs" in words and "create" in words:
    pathlib.Path(__file__).with_name("job").touch()
"""


class Call:
    """One call of a program."""

    def __init__(self, line: str) -> None:
        recorded = json.loads(line)
        self.words: list[str] = recorded.pop("words")
        self.recorded = recorded

    def option(self, name: str) -> str:
        return self.words[self.words.index(name) + 1]


def stand_ins(folder: Path) -> Path:
    for name in ("gcloud", "firebase"):
        (folder / name).write_text(RECORDER)
        (folder / name).chmod(0o755)
    (folder / "npm").symlink_to(shutil.which("false") or "/bin/false")  # the page is built without it
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    return stand_ins(tmp_path)


def run(programs: Path, **environ: str) -> tuple[subprocess.CompletedProcess[str], list[Call]]:
    done = subprocess.run(
        ["bash", DEPLOY],
        env={
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PAGE": str(programs / "page"),
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    log = programs / "calls.jsonl"
    return done, [Call(line) for line in log.read_text().splitlines()] if log.exists() else []


Run = tuple[subprocess.CompletedProcess[str], list[Call]]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Deploy for the first time, with all secrets."""
    return run(stand_ins(tmp_path_factory.mktemp("first")), **GIVEN, **SECRETS)


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Deploy again elsewhere, with a scheduler that was there before."""
    programs = stand_ins(tmp_path_factory.mktemp("later"))
    (programs / "job").touch()
    return run(programs, **GIVEN, REGION="europe-west4", BACKSTOP_SCHEDULE="* * * * *")


def test_it_deploys_three_functions_from_one_source_each_as_it_should_be(first: Run) -> None:
    done, calls = first
    assert done.returncode == 0, done.stderr
    deployed = {
        call.option("--function"): call for call in calls if "deploy" in call.words and "run" in call.words
    }
    assert set(deployed) == {"webhook", "api", "sweep"}
    assert {name: call.option("--ingress") for name, call in deployed.items()} == {
        "webhook": "all",
        "api": "all",
        "sweep": "internal",
    }
    for name, call in deployed.items():
        assert "--no-invoker-iam-check" in call.words
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
            "SWEEP_CALLER",
            "THREADS",
            "VAPID_SUBJECT",
        }
        assert "VAPID_SUBJECT: 'mailto:o''hara@bell.dev'" in call.recorded["settings"]
        assert {"main.py", "requirements.txt", "taskbell/app.py"} <= set(call.recorded["source"])
        assert not any("__pycache__" in file for file in call.recorded["source"])


def test_no_secret_is_an_argument_or_printed(first: Run) -> None:
    done, calls = first
    told = done.stdout + done.stderr + " ".join(shlex.join(call.words) for call in calls)
    assert [value for value in SECRETS.values() if value in told] == []
    written = {
        call.words[call.words.index("add") + 1]: call.recorded["input"]
        for call in calls
        if "versions" in call.words
    }
    assert written == {f"taskbell-{name.lower().replace('_', '-')}": value for name, value in SECRETS.items()}


def test_secrets_that_are_not_given_stay_as_they_are(later: Run) -> None:
    done, calls = later
    assert done.returncode == 0, done.stderr
    assert not [call for call in calls if "versions" in call.words]


def test_the_scheduler_calls_the_sweep_without_a_secret_if_it_is_asked_for(
    programs: Path, first: Run, later: Run
) -> None:
    assert [call for call in first[1] if "scheduler" in call.words] == []
    done, calls = run(programs, **GIVEN, BACKSTOP_SCHEDULE="* * * * *")
    assert done.returncode == 0, done.stderr
    [job] = [call for call in calls if "jobs" in call.words and "create" in call.words]
    caller = "taskbell-scheduler@bell-project.iam.gserviceaccount.com"
    assert job.option("--oidc-service-account-email") == caller
    assert job.option("--oidc-token-audience") == "https://bell-project.web.app/sweep"
    assert job.option("--uri") == "https://taskbell-sweep.run.app/sweep"
    assert "--headers" not in job.words
    settings = [call.recorded["settings"] for call in calls if "settings" in call.recorded]
    assert f"SWEEP_CALLER: '{caller}'" in settings[-1]
    assert "update" in [call for call in later[1] if "jobs" in call.words][-1].words


def test_the_built_page_is_served_with_its_policy_and_kept_as_long_as_it_may(later: Run) -> None:
    done, calls = later
    assert done.returncode == 0, done.stderr
    [call] = [call for call in calls if call.words[0] == "firebase"]
    hosting = call.recorded["hosting"]["hosting"]
    assert hosting["rewrites"] == [
        {"source": "/v1/**", "run": {"serviceId": "taskbell-api", "region": "europe-west4"}}
    ]
    rules = [(rule["source"], rule["headers"]) for rule in hosting["headers"]]
    headers = {header["key"]: header["value"] for header in rules[0][1]}
    assert (rules[0][0], headers["Cache-Control"]) == ("**", ASK_AGAIN)
    assert rules[-1] == ("/v-*/**", [{"key": "Cache-Control", "value": FOREVER}]), "the last rule wins"
    assert (
        "connect-src 'self' https://abc.supabase.co wss://abc.supabase.co;"
        in (headers["Content-Security-Policy"])
    )
    root = {name for name in call.recorded["page"] if not re.match(r"v-[0-9a-f]{12}/", name)}
    assert set(page_build.ROOT) <= root <= {*page_build.ROOT, *page_build.ENTRIES}
    assert len(call.recorded["page"]) > 40


def test_it_ends_with_the_next_step(first: Run) -> None:
    done, _ = first
    assert "taskbell vault --env FILE --webhook https://taskbell-webhook.run.app/webhook\n" in done.stdout
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


def test_gcloud_knows_the_options(tmp_path: Path, first: Run) -> None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        pytest.skip("gcloud is missing: whether it knows the options is not checked")
    deploy = next(call for call in first[1] if "run" in call.words and "deploy" in call.words)
    shown = subprocess.run(
        [gcloud, "run", "deploy", "--help"],
        env={**os.environ, "CLOUDSDK_CONFIG": str(tmp_path), "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    known = re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout).replace("[no-]", "")
    used = {word.replace("--no-", "--") for word in deploy.words if word.startswith("--")}
    assert {option for option in used if f"{option}" not in known} == set()
