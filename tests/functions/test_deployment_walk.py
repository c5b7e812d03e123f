"""Who follows the README from a clone has it running: each command as it stands there, in its order.

Real: every program of ours, Supabase's command line, Postgres 15, the deployed folder in an environment of
its own, HTTPS. Stood in for: Supabase's services, Google's (`deployment_programs`), a browser's push service.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from taskbell_local.env_file import read_env
from tests.database.servers import Server
from tests.database.story import Story
from tests.functions.bell import message
from tests.functions.deployment_cloud import FUNCTIONS
from tests.functions.deployment_readme import Step, commands, filled, section, steps
from tests.functions.deployment_walk import DOCTOR, findings
from tests.functions.deployment_ways import SECRETS, type_in, way_of
from tests.functions.deployment_world import World, new_world

pytestmark = pytest.mark.slow

SUPABASE, GOOGLE = "On a Supabase project", "Onto Google Cloud"
# All that is not ✓ in the end. Nobody named the sweep's address; and it takes a public name to please the
# page's own policy, which lets it reach *.supabase.co: this project is at localhost.
NOT_WELL = [
    ("–", "Functions", "sweep refuses strangers"),  # noqa: RUF001  a dash, on purpose
    ("✗", "Page", "content security policy"),
]


@pytest.fixture
def world(debian_server: Server, tmp_path: Path) -> Iterator[World]:
    with new_world(debian_server, tmp_path) as world:
        yield world
        world.walk.tell()


def placeholders(world: World) -> dict[str, str]:
    """What stands in the README for what is somebody's own."""
    webhook = f"{world.cloud.addresses['taskbell-webhook']}/webhook"
    return {
        "https://…/webhook": webhook,
        "WEBHOOK_URL": webhook,
        "https://bell.example.com": world.settings["PUBLIC_URL"],
        "PROJECT_ID=…": "PROJECT_ID=bell-project",
    }


def take(world: World, step: Step) -> str:
    """Type a step's commands, and check it as it says; returns what was printed last."""
    # Of two ways to migrate Supabase's own comes first: ours must then find nothing to do.
    typed = sorted(step.commands, key=lambda command: not command.startswith("supabase "))
    told = ""
    for command in typed:
        told = type_in(world, filled(command, placeholders(world)))
    for answer in step.answers:
        assert answer.replace(" ", "") in told.replace(" ", "")
    if step.sections:
        report = findings(told if typed[-1].startswith(DOCTOR) else type_in(world, DOCTOR))
        assert [] == [line for name in step.sections for line in report[name] if line[0] == "✗"]
    return told


def test_who_follows_the_readme_has_it_running(world: World) -> None:
    walk, log_before = world.walk, len(world.server_log.read_text())
    *before, last = steps(GOOGLE)
    for step in before:
        take(world, step)
    assert "nothing to do: the database has every migration" in "".join(walk.read)
    for command in commands(section(SUPABASE)):  # the same, told once more
        assert any(filled(command, placeholders(world)) in typed for typed in walk.typed), command

    story = Story(world.database)
    walk.timed("(a click on “Notify this browser”)", lambda: world.subscribe(story.owner))
    report = findings(take(world, last))
    [test] = world.push_service.wait_for(1)
    assert "test" == message(test)["notification"]["data"]["kind"]
    lines = [(mark, name, title) for name, found in report.items() for mark, title in found]
    assert NOT_WELL == [line for line in lines if line[0] != "✓"]
    assert len(lines) > 40

    began = time.perf_counter()
    story.finish(story.new_task("in_progress"))
    rung = world.push_service.wait_for(2)[-1]
    walk.seconds.append(("(a task completes, and its owner's browser rings)", time.perf_counter() - began))
    assert "Draft ready for Ada Lovelace" == message(rung)["notification"]["title"]
    every_secret_is_in_its_place(world, world.server_log.read_text()[log_before:])


def test_a_command_that_nobody_tried_is_noticed() -> None:
    strange = "`supabase db reset`, then run `infra/gcp/deploy.sh` as in `README.md`"
    assert ["supabase db reset", "infra/gcp/deploy.sh"] == commands(strange)
    for command in commands(strange):
        with pytest.raises(AssertionError, match="does not know"):
            way_of(command)


def every_secret_is_in_its_place(world: World, server_log: str) -> None:
    """Look for each secret wherever it must not be, and at who has it."""
    cloud, state = world.cloud, world.cloud.state
    settings = read_env(world.walk.clone / "taskbell.env")
    password = urlsplit(settings["DATABASE_URL"]).password or ""
    secrets = {name: settings[name] for name in SECRETS} | {"DATABASE_URL": password}
    places = {
        "command lines": "\n".join([*world.walk.typed, *(word for call in state["calls"] for word in call)]),
        "outputs": "".join(world.walk.read),
        "the functions' logs": cloud.logs(),
        "the database's log": server_log,
        "what is deployed": contents(*(Path(service["source"]) for service in state["services"].values())),
        "the page": contents(cloud.hosting),
        "plain settings": str([service["settings"] for service in state["services"].values()]),
    }
    assert [] == [
        (name, place) for place, text in places.items() for name, value in secrets.items() if value in text
    ]
    assert "net.http_request_queue" in server_log, "the database's log was listening"
    assert [] == [place for place, text in places.items() if not text]

    accounts = [f"taskbell-{name}@bell-project.iam.gserviceaccount.com" for name in FUNCTIONS]
    assert {f"taskbell-{name.lower().replace('_', '-')}": accounts for name in SECRETS} == {
        name: secret["readers"] for name, secret in state["secrets"].items()
    }
    for service in state["services"].values():
        given = cloud.environ(service)
        assert {name: settings[name] for name in SECRETS} == {
            name: given[name] for name in service["secrets"]
        }
        assert "DATABASE_URL" not in given
    kept = dict(world.database.execute("select name, decrypted_secret from vault.decrypted_secrets"))
    assert settings["WEBHOOK_SECRETS"] == kept.pop("taskbell_webhook_secret")
    assert {"taskbell_webhook_url"} == set(kept)


def contents(*folders: Path) -> str:
    """Return all that lies in folders."""
    files = (file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file())
    return "\n".join(file.read_bytes().decode(errors="replace") for file in files)
