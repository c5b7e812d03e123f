"""Terraform itself, with stand-ins for the providers that a configuration requires.

In: schemas of providers, folders with configurations. Out: what Terraform says. Touches: those folders, one
of its own, and the stand-ins' ports of loopback.
Source: developer.hashicorp.com/terraform/cli/config/config-file, "Development Overrides".
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.stand_ins.certificates import self_signed
from tests.stand_ins.terraform_schema import Schema

PATIENCE_SECONDS = 120
ROOT = Path(__file__).parents[2]
STAND_INS_ARE_USED = "Provider development overrides are in effect"


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """What Terraform objects to, and in which file."""

    file: str
    summary: str
    detail: str


class Terraform:
    """A program that finds its providers in a folder, asks no registry, and keeps to itself."""

    def __init__(self, program: str, folder: Path, schemas: Mapping[str, Schema]) -> None:
        self._program = program
        self.versions = {name: schema["version"] for name, schema in schemas.items()}
        self._config = folder / "terraform.tfrc"
        self_signed(folder)
        overrides = []
        for name, schema in schemas.items():
            file = folder / f"{name}.json"
            file.write_text(json.dumps(schema))
            plugin = folder / f"terraform-provider-{name}"
            words = [
                sys.executable,
                "-m",
                "tests.stand_ins.terraform_provider",
                str(file),
                str(folder / "localhost.pem"),
            ]
            plugin.write_text(f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.join(words)}\n")
            plugin.chmod(0o700)
            overrides.append(f"{json.dumps(f'hashicorp/{name}')} = {json.dumps(str(folder))}")
        listed = "\n".join(overrides)
        self._config.write_text(
            f"disable_checkpoint = true\nprovider_installation {{\n  dev_overrides {{\n{listed}\n  }}\n}}\n"
        )

    def run(
        self, configuration: Path, *words: str, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of Terraform's to its end, with the variables' values in its environment."""
        environment = {
            "HOME": str(self._config.parent),
            "PATH": os.environ["PATH"],
            "TF_CLI_CONFIG_FILE": str(self._config),
            **{f"TF_VAR_{name}": value for name, value in (variables or {}).items()},
        }
        command = [self._program, f"-chdir={configuration}", *words]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )

    def validate(self, configuration: Path) -> list[Diagnostic]:
        """Return what `terraform validate` objects to or warns of, except that stand-ins are used."""
        done = self.run(configuration, "validate", "-json")
        return sorted(
            Diagnostic(each.get("range", {}).get("filename", ""), each["summary"], each["detail"])
            for each in json.loads(done.stdout)["diagnostics"]
            if each["summary"] != STAND_INS_ARE_USED
        )
