"""Stands in for gcloud, firebase and terraform on PATH: strict about their words, and forgetting none.

In: the state's folder, a program's name, its words. Out: what the program prints, and `state.json`: accounts,
secrets with who may read them, services with all that they were given. Run as a program of its own; unknown
words are refused, as the real ones refuse them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

Words = list[str]
NEW: dict[str, Any] = {
    "calls": [],
    "accounts": [],
    "secrets": {},
    "services": {},
    "addresses": {},
    "terraform": {},
}
UNKNOWN = "this stand-in does not know these words"
READS_SECRETS = "roles/secretmanager.secretAccessor"


def option(words: Words, name: str) -> str:
    """Return an option's value."""
    return words[words.index(name) + 1]


def gcloud(state: dict[str, Any], folder: Path, words: Words) -> int:
    """Do what these words of gcloud's do, as far as `deploy.sh` can tell; returns the exit code."""
    assert words[:2] == ["--quiet", "--project"]
    project, words = words[2], words[3:]
    match words:
        case ["services", "enable", *_] | ["projects", "add-iam-policy-binding", *_]:
            return 0
        case ["iam", "service-accounts", "describe", account]:
            return 0 if account in state["accounts"] else 1
        case ["iam", "service-accounts", "create", name, "--display-name", _]:
            state["accounts"].append(f"{name}@{project}.iam.gserviceaccount.com")
        case ["secrets", "describe", secret]:
            return 0 if secret in state["secrets"] else 1
        case ["secrets", "create", secret, "--replication-policy", "automatic"]:
            state["secrets"][secret] = {"value": None, "readers": []}
        case ["secrets", "versions", "add", secret, "--data-file", "-"]:
            state["secrets"][secret]["value"] = sys.stdin.read()
        case ["secrets", "add-iam-policy-binding", secret, "--role", role, "--member", member]:
            assert role == READS_SECRETS
            state["secrets"][secret]["readers"].append(member.removeprefix("serviceAccount:"))
        case ["run", "deploy", service, *options]:
            state["services"][service] = _service(folder / service, options)
        case ["run", "services", "describe", service, "--region", _, "--format", "value(status.url)"]:
            assert service in state["services"]
            print(state["addresses"][service])
        case _:
            sys.exit(f"gcloud: {UNKNOWN}: {words}")
    return 0


def _service(kept: Path, options: Words) -> dict[str, Any]:
    """Keep the source, and return how it is to be served."""
    shutil.copytree(option(options, "--source"), kept, dirs_exist_ok=True)
    settings = Path(option(options, "--env-vars-file")).read_text().splitlines()
    references = [pair.split("=") for pair in option(options, "--set-secrets").split(",")]
    return {
        "source": str(kept),
        "function": option(options, "--function"),
        "python": option(options, "--base-image").removeprefix("python3"),
        "account": option(options, "--service-account"),
        "settings": dict(map(_unquoted, settings)),
        "secrets": {name: reference.removesuffix(":latest") for name, reference in references},
    }


def _unquoted(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value[1:-1].replace("''", "'")


def firebase(_: dict[str, Any], folder: Path, words: Words) -> int:
    """Keep a page and how it is to be served."""
    assert words[:3] == ["deploy", "--only", "hosting"], UNKNOWN
    shutil.rmtree(folder / "hosting", ignore_errors=True)
    public = json.loads(Path("firebase.json").read_text())["hosting"]["public"]
    shutil.copytree(public, folder / "hosting" / "page")
    shutil.copy("firebase.json", folder / "hosting")
    return 0


def terraform(state: dict[str, Any], _: Path, words: Words) -> int:
    """Keep the variables that it would read."""
    assert words in (["-chdir=infra/gcp", "init"], ["-chdir=infra/gcp", "apply"]), UNKNOWN
    prefix = "TF_VAR_"
    state["terraform"] = {
        name.removeprefix(prefix): value for name, value in os.environ.items() if name.startswith(prefix)
    }
    return 0


def main(folder: Path, name: str, *words: str) -> int:
    """Read the state, do what is asked, write it."""
    file = folder / "state.json"
    state = NEW | json.loads(file.read_text())
    state["calls"].append([name, *words])
    try:
        return {"gcloud": gcloud, "firebase": firebase, "terraform": terraform}[name](
            state, folder, list(words)
        )
    finally:
        file.write_text(json.dumps(state))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
