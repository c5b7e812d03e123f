"""Every figure of the README, measured side by side in one run.

`python -m tests.bench [section …] [--quick] [--out FOLDER]`   measure; all sections unless some are named
`python -m tests.bench --plot FILE.json [--out FOLDER]`        draw the picture again from a report

In: names of sections. Out: `bench.json` and `speed.svg` in the folder, a table of the aims; exit code 1 if a
section failed. A section that cannot run here is skipped and says why. Touches: that folder, and what the
sections touch: temporary folders, loopback ports, processes of their own.
"""

import argparse
import json
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.aims import verdicts
from tests.bench.plot import plot
from tests.bench.progress import ProgressLine
from tests.bench.report import figures_as_lines, verdicts_as_lines
from tests.bench.section import ORDER, Missing, load

DEFAULT_FOLDER = machine.ROOT / ".bench"


def run(arguments: list[str]) -> int:
    """Do what the command line says and return the exit code."""
    options = _options(arguments)
    folder: Path = options.out
    folder.mkdir(parents=True, exist_ok=True)
    if options.plot:
        _draw(json.loads(options.plot.read_text()), folder)
        return 0
    names = options.sections or list(ORDER)
    report: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": options.quick,
        "machine": machine.machine(),
        "versions": machine.versions(),
        **machine.commit(),
        "sections": {},
    }
    for number, name in enumerate(names, 1):
        line = ProgressLine(sys.stderr, f"{number}/{len(names)} {name}")
        report["sections"][name] = one = measure_section(name, line, quick=options.quick)
        line.done(one["status"] + (f": {one['why']}" if "why" in one else ""))
        for told in figures_as_lines(one.get("figures", {})):
            print(told, flush=True)
        report["aims"] = verdicts(report["sections"], quick=options.quick)
        # Written after each section: a run that is broken off leaves what it has.
        (folder / "bench.json").write_text(json.dumps(report, indent=1) + "\n")
    print(*verdicts_as_lines(report["aims"]), sep="\n")
    _draw(report, folder)
    return int(any(one["status"] == "failed" for one in report["sections"].values()))


def measure_section(name: str, line: ProgressLine, *, quick: bool) -> dict[str, Any]:
    """Run one section and return what stands in the report of it; whatever it does, the others go on."""
    before: dict[str, Any] = {"load_before": machine.load()}
    started = time.monotonic()
    try:
        section = load(name)
        line(0, section.TITLE)
        outcome: dict[str, Any] = {"title": section.TITLE, "figures": section.measure(line, quick=quick)}
        json.dumps(outcome)
        status = "measured"
    except Missing as missing:
        status, outcome = "skipped", {"why": str(missing)}
    except Exception as error:  # a section may fail in any way
        traceback.print_exc()
        status, outcome = "failed", {"why": f"{type(error).__name__}: {error}"}
    return {"status": status, **before, "seconds": round(time.monotonic() - started, 1), **outcome}


def _draw(report: dict[str, Any], folder: Path) -> None:
    picture = plot(report)
    if picture is None:
        print("no picture: it shows the sections sending, burst and scaling, and none was measured")
        return
    (folder / "speed.svg").write_text(picture)
    print(f"written: {folder / 'speed.svg'}")


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(ORDER))
    parser.add_argument("--quick", action="store_true", help="run everything once: shows only that it runs")
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER", help="default: .bench")
    parser.add_argument("--plot", type=Path, metavar="FILE.json", help="measure nothing, draw this report")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sections if name not in ORDER]
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)} (there are: {', '.join(ORDER)})")
    return options
