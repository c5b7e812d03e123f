"""The benchmark's one command runs, reports and draws; what it measured is nobody's business here."""

import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.bench import command, machine
from tests.bench.aims import verdicts
from tests.bench.progress import ProgressLine

SECTIONS = ["sending", "cpu_per_push"]
SECTION = """
from tests.bench.section import Missing
TITLE = "a section of this story"
def measure(progress, *, quick):
    {does}
"""


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench", *map(str, arguments)]
    environment = {**os.environ, "npm_config_offline": "true"}  # the peer from npm only if it is here already
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=machine.ROOT, env=environment
    )


@pytest.mark.slow
def test_two_sections_are_measured_reported_and_drawn(tmp_path: Path) -> None:
    done = bench(*SECTIONS, "--quick", "--out", tmp_path)
    assert 0 == done.returncode, done.stderr
    report = json.loads((tmp_path / "bench.json").read_text())
    assert SECTIONS == list(report["sections"])
    assert {"measured"} == {section["status"] for section in report["sections"].values()}
    assert {"processor", "architecture", "cores", "memory_gb", "system"} == report["machine"].keys()
    assert {"python", "postgres", "libcurl", "openssl_of_libcurl"} <= report["versions"].keys()
    assert {"date", "commit", "changed_files"} <= report.keys()
    for section in report["sections"].values():
        assert 3 == len(section["load_before"])
        assert {"title", "figures", "seconds"} <= section.keys()
    rows = report["sections"]["sending"]["figures"]["rows"]
    assert {"Taskbell", "pywebpush, loop"} <= {row["client"] for row in rows}
    assert {"sending", "cpu_per_push"} == {aim["section"] for aim in report["aims"]}
    assert {None} == {aim["met"] for aim in report["aims"]}, "a quick run is judged by nobody"
    drawn = ET.parse(tmp_path / "speed.svg").getroot()  # noqa: S314  our own file
    assert "{http://www.w3.org/2000/svg}svg" == drawn.tag
    assert "QUICK RUN" in "".join(drawn.itertext())


@pytest.mark.parametrize(
    ("name", "does", "status", "why"),
    [
        ("broken", "raise ZeroDivisionError('it broke')", "failed", "ZeroDivisionError: it broke"),
        ("lacking", "raise Missing('no browser here')", "skipped", "no browser here"),
    ],
)
def test_a_section_that_cannot_be_measured_says_why_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, does: str, status: str, why: str
) -> None:
    folder = tmp_path / "tests" / "bench"
    folder.mkdir(parents=True)
    (folder / f"{name}.py").write_text(SECTION.format(does=does))
    monkeypatch.syspath_prepend(tmp_path)
    shown = io.StringIO()
    told = command.measure_section(name, ProgressLine(shown, name), quick=True)
    assert (status, why) == (told["status"], told["why"])
    assert f"{name}    0%  a section of this story\n" == shown.getvalue()


def test_an_unknown_section_is_refused_with_the_list_of_those_there_are(tmp_path: Path) -> None:
    done = bench("everything", "--out", tmp_path)
    assert 2 == done.returncode
    assert "no such section: everything (there are: sending, " in done.stderr
    assert not (tmp_path / "bench.json").exists()


def test_an_aim_is_met_missed_or_not_measured() -> None:
    sections = {"sending": {"figures": {"thousand": {"of_the_floor": 1.4, "node": 5.9}}}}
    judged = {aim["what"]: aim["met"] for aim in verdicts(sections, quick=False)}
    assert [True, None, False, None] == list(judged.values())
    assert {None} == {aim["met"] for aim in verdicts(sections, quick=True)}


def test_the_progress_line_is_written_over_on_a_terminal_and_rare_elsewhere() -> None:
    now = [0.0]
    terminal, plain = Terminal(), io.StringIO()
    for stream in (terminal, plain):
        line = ProgressLine(stream, "1/2 burst", clock=lambda: now[0])
        for now[0] in (0.0, 1.0, 65.0):
            line(now[0] / 130, "round 1")
        line.done("measured")
    assert 3 == terminal.getvalue().count("\r\x1b[2K1/2 burst") - 1
    assert "▕████████████            ▏  50% 1:05  round 1" in terminal.getvalue()
    assert 1 == terminal.getvalue().count("\n")
    assert 3 == len(plain.getvalue().splitlines())
    assert "\x1b" not in plain.getvalue()
