"""How each of the README's commands is typed here, and what is done by hand before or after it.

In: a world, a command as it stands in the README, its placeholders filled. Out: what was printed. A command
that has no way here is one that nobody tried.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from taskbell_local.env_file import read_env
from tests.functions import deployment_readme
from tests.functions.deployment_world import World

SECRETS = ("SUPABASE_SECRET_KEY", "VAPID_PRIVATE_KEY", "WEBHOOK_SECRETS")


def type_in(world: World, command: str) -> str:
    """Type a command in its way; returns what it printed."""
    return way_of(command)(world, command)


def way_of(command: str) -> Callable[[World, str], str]:
    """Return how a command is typed."""
    ways = [way for beginning, way in WAYS.items() if command.startswith(beginning)]
    assert len(ways) == 1, f"the README names a command that this walk does not know: {command}"
    return ways[0]


def keys(world: World, command: str) -> str:
    """Have keys made, and fill in what the file asks for."""
    told = world.walk.run(command)
    file = world.walk.clone / "taskbell.env"
    assert 0o600 == file.stat().st_mode & 0o777
    text = file.read_text()
    for name, value in world.settings.items():
        text, asked_for = re.subn(rf"^({name}=)('?)\2$", rf"\1\2{value}\2", text, flags=re.MULTILINE)
        text += "" if asked_for else f"{name}={value}\n"
    assert [] == re.findall(r"^[A-Z_]+=(?:'')?$", text, re.MULTILINE), "a place that nobody filled"
    file.write_text(text)
    return told


def push(world: World, command: str) -> str:
    """Name the database, in place of the project that an account would be linked to."""
    assert " --remote" in command, "without it, the CLI means a database on this machine"
    address = urlsplit(world.database.url)
    nameless = address._replace(netloc=f"{address.username}@{address.hostname}:{address.port}").geturl()
    world.walk.typed.append(command)
    named = f"{command.replace(' --remote', '')} --remote={nameless}"
    return world.walk.run(named, PGPASSWORD=address.password or "")


def terraform(world: World, command: str) -> str:
    """Say first what versions.tf says."""
    exports = deployment_readme.exports(world.walk.clone / "infra/gcp/versions.tf")
    told = world.walk.run(f"{exports}\n{command}")
    given = world.cloud.state["terraform"]
    settings = read_env(world.walk.clone / "taskbell.env")
    assert {name: settings[name] for name in SECRETS} == json.loads(given.pop("secrets"))
    assert {settings[name.upper()] for name in given} == set(given.values())
    return told


def deploy(world: World, command: str) -> str:
    """Deploy, and let the cloud build and serve what it was handed."""
    told = world.walk.run(command)
    assert f"--webhook {world.cloud.addresses['taskbell-webhook']}/webhook" in told
    environment = world.walk.timed("(the cloud builds)", world.cloud.build)
    world.walk.timed("(the cloud starts three functions)", lambda: world.cloud.serve(environment))
    return told


def run(world: World, command: str) -> str:
    return world.walk.run(command)


def doctor(world: World, command: str) -> str:
    """Ask the doctor; what the report says is judged by the step, or at the end."""
    return world.walk.run(command, may_fail=True)


def not_here(world: World, command: str) -> str:
    """Leave out what signs somebody in, or was done for these tests already."""
    world.walk.typed.append(command)
    return ""


WAYS = {
    ". .venv/bin/activate": not_here,
    "curl https://": run,
    "set -a; . ./taskbell.env; set +a; PROJECT_ID=": deploy,
    "firebase login": not_here,
    "gcloud auth ": not_here,
    "supabase db push ": push,
    "supabase link ": not_here,
    "supabase login": not_here,
    "taskbell doctor --env taskbell.env": doctor,
    "taskbell keys taskbell.env": keys,
    "taskbell migrate --env taskbell.env": run,
    "taskbell page .taskbell/page": run,
    "taskbell vault --env taskbell.env ": run,
    "terraform -chdir=infra/gcp ": terraform,
}
