"""The README says what is there: every reason, setting, command, file and benchmark, and none besides."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from taskbell_local.arguments import parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FUNCTIONS = ROOT / "functions" / "taskbell"
STATUS_CODES = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "MethodNotAllowed": 405,
    "BodyTooLarge": 413,
    "Unprocessable": 422,
    "Unavailable": 503,
}
NO_SETTINGS_OF_OURS = {"DEMO_TOKEN"}  # only the embedded stack sets it, and it starts nowhere else


def section(heading: str) -> str:
    """Return what stands below a heading."""
    return README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table's rows, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def reasons_in_the_code() -> set[tuple[str, int]]:
    """Return each reason with its status code, as the functions' sources name them."""
    found: set[tuple[str, int]] = set()
    for path in [*(FUNCTIONS / "api").rglob("*.py"), *(FUNCTIONS / "intake").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            match node.func.id, node.args:
                case "Refusal", [ast.Constant(value=int(status)), ast.Constant(value=str(reason)), *_]:
                    found.add((reason, status))
                case name, [ast.Constant(value=str(reason)), *_] if name in STATUS_CODES:
                    found.add((reason, STATUS_CODES[name]))
    return found | {("database_unavailable", 503), ("database_refused", 503)}  # a GatewayError's own


def test_every_reason_of_an_error_is_explained_with_its_status_code_and_no_other() -> None:
    explained = {
        (reason, int(status))
        for names, status, *_ in rows(section("Errors"))
        for reason in re.findall(r"`([a-z_]+)`", names)
    }
    assert sorted(reasons_in_the_code()) == sorted(explained)


def test_every_setting_is_explained_and_no_other() -> None:
    source = (FUNCTIONS / "settings.py").read_text()
    read = {name for name in re.findall(r'"([A-Z][A-Z_]{5,})"', source) if name not in NO_SETTINGS_OF_OURS}
    explained = set(re.findall(r"`([A-Z][A-Z_]{5,})", section("Settings")))
    assert sorted(read) == sorted(explained)


@pytest.mark.parametrize(
    "command",
    sorted(set(re.findall(r"(?:^|`|/)taskbell ((?:[a-z]+)(?: [^\n`#|>;&]*)?)", README, re.MULTILINE))),
)
def test_every_command_that_it_names_is_understood(command: str) -> None:
    words = shlex.split(command.replace("…", ""))
    if len(words) == 1:  # named, and not to be run like that
        with pytest.raises(SystemExit) as ended:
            parser().parse_args([*words, "--help"])
        assert 0 == ended.value.code
    else:
        assert words[0] == parser().parse_args(words).command


@pytest.mark.parametrize(
    "path",
    sorted(set(re.findall(r"`((?:functions|web|migrations|tests|infra|\.ci|\.readme)/[^` ]*)`", README))),
)
def test_every_file_that_it_names_is_there(path: str) -> None:
    assert list(ROOT.glob(path)), path


def test_every_link_and_picture_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target[1:] in headings if target.startswith("#") else (ROOT / target).is_file(), target


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m (tests\.bench[a-z_.]*)", README))))
def test_every_benchmark_that_it_names_is_there(module: str) -> None:
    path = ROOT / module.replace(".", "/")
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
