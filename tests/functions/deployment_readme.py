"""The README's way to a deployment: its steps, their commands, and what each is checked by.

In: the README's text. Out: steps in order. Touches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"```\w*\n(.*?)```|`([^`]+)`", re.DOTALL)
_STEP = re.compile(r"^\d+\. ", re.MULTILINE)
_CROSSES = re.compile(r"no ✗ under ([\w-]+)")
# Code with a space in it that nobody is to type: what an answer says, and what to keep away from.
_NO_COMMANDS = (re.compile(r'"ok": ?true'), re.compile(r"select vault\.create_secret\('whsec_…', …\)"))


@dataclass(frozen=True)
class Step:
    """Commands to type; `sections` of the doctor's report that must then be without ✗; `answers` expected."""

    commands: tuple[str, ...]
    sections: tuple[str, ...]
    answers: tuple[str, ...]


def section(heading: str) -> str:
    """Return what stands below a heading."""
    readme = (ROOT / "README.md").read_text()
    return readme.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def commands(text: str) -> list[str]:
    """Return every command in a text: code with a space in it, or that names a program of this repository."""
    return [code for code in _codes(text) if _is_command(code)]


def steps(heading: str) -> list[Step]:
    """Return what a section asks for first, and its numbered steps; below them it names no command."""
    items = _STEP.split(section(heading))
    items[-1], _, rest = items[-1].partition("\n\n")
    assert [] == commands(rest), "a command that belongs to no step"
    return [
        Step(
            tuple(commands(item)),
            tuple(_CROSSES.findall(item)),
            tuple(code for code in _codes(item) if _NO_COMMANDS[0].fullmatch(code)),
        )
        for item in items
    ]


def filled(command: str, placeholders: Mapping[str, str]) -> str:
    """Put what is somebody's own in its places; none may be left."""
    for placeholder, value in placeholders.items():
        command = command.replace(placeholder, value)
    assert "…" not in command, f"nobody said what stands for … in: {command}"
    return command


def exports(path: Path) -> str:
    """Return what a Terraform file's opening comment says to type before its commands."""
    opening = path.read_text().partition("\nterraform {")[0]
    lines = re.findall(r"^#   (.*?)(?: +# .*)?$", opening, re.MULTILINE)
    return "\n".join(line for line in lines if not line.startswith(("taskbell ", "terraform ")))


def _codes(text: str) -> Iterator[str]:
    for block, span in _CODE.findall(text):
        yield from (line.strip() for line in (block or span).splitlines() if line.strip())


def _is_command(code: str) -> bool:
    if any(pattern.fullmatch(code) for pattern in _NO_COMMANDS):
        return False
    named = ROOT / code
    return " " in code or (named.is_file() and bool(named.stat().st_mode & 0o100))
