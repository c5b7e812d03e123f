"""How long from an agent's update to the badge on an open page.

`python -m tests.bench.commit_to_badge`

In: nothing but options. Out: a table of p50 and p95 of each leg of the way, by held polling on the embedded
stack and over Supabase Realtime (its stand-in, with the official client); JSON with every run where asked.
Touches: a temporary folder, loopback ports, the browser and the servers that it starts and stops.

The clock starts when the update is handed to the database, so that the commit itself is part of the time, and
stops in the page, when the badge is in its document.
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import cast

from playwright.sync_api import Page, sync_playwright

from taskbell_local.demo_data import DEMO_USER_ID
from taskbell_local.realtime_client import bundle
from tests.bench.section import Figures, Missing, Progress
from tests.browser import hooks
from tests.browser.application import Application, Task
from tests.browser.stack import Stack
from tests.stand_ins import chromium
from tests.stand_ins.background import Background
from tests.stand_ins.realtime_stack import RealtimeStack
from tests.stand_ins.record import wait_until

TITLE = "from an agent's update to the badge on an open page"
RUNS, QUICK_RUNS, WARM_UP_RUNS = 100, 2, 5
CONTACTS = 20
AIM_P95_MS = 100
EMAIL = "ada@example.org"
LEGS = {
    "captured": "the update is handed to the database → the trigger has written the event",
    "applied": "→ committed, the webhook called, the event claimed, its state being stored",
    "answered": "→ stored, the page told, and answered by /v1/inbox",
    "shown": "→ the badge is in the document",
}

# Resolves when the badge is there: when that was, and when the answer before it came, in ms since 1970.
WATCH = """css => {
  performance.clearResourceTimings();
  window.shown = new Promise((resolve) => {
    const look = () => {
      if (!document.querySelector(css)) return;
      observer.disconnect();
      const at = performance.timeOrigin + performance.now();
      const answer = performance.getEntriesByType("resource").findLast((e) => e.name.endsWith("/v1/inbox"));
      resolve([at, answer ? Math.min(at, performance.timeOrigin + answer.responseEnd) : at]);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, attributes: true });
  });
}"""

Runs = list[dict[str, float]]


def one_run(page: Page, application: Application, stack: Stack, task: Task) -> dict[str, float]:
    """Let a task run again and fail, and see its badge; returns each leg in milliseconds."""
    task.run_again()
    task.start()
    page.locator(hooks.badge(task.contact_id, "in_progress")).wait_for()
    wait_until(application.nothing_is_due, "the beginning of the task has been dealt with")
    page.wait_for_timeout(50)  # the page is at rest
    page.evaluate(WATCH, hooks.badge(task.contact_id, "failed"))
    started = time.time() * 1000
    task.fail("No address")
    shown, answered = page.evaluate("window.shown")
    [(captured, applied)] = stack.sql(
        """select extract(epoch from occurred_at)::float8 * 1000,
                  extract(epoch from finished_at)::float8 * 1000
           from taskbell.task_events where task_id = %s order by id desc limit 1""",
        task.id,
    )
    took = [after - before for before, after in pairwise([started, captured, applied, answered, shown])]
    return {**dict(zip(LEGS, took, strict=True)), "total": shown - started}


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return percentiles of each leg, by way; raises Missing without a browser."""
    if lack := chromium.missing():
        raise Missing(lack)
    figures: Figures = {"legs": LEGS}
    for number, (way, run) in enumerate(WAYS.items()):
        progress(number / len(WAYS), f"by {way}")
        runs = in_a_page(run, QUICK_RUNS if quick else RUNS)
        ms = {leg: summary([one[leg] for one in runs]) for leg in runs[0]}
        figures[way.replace(" ", "_")] = {"runs": len(runs), "ms": ms}
    return figures


def warm_and_run(page: Page, stack: Stack, runs: int) -> Runs:
    """Warm up, then run."""
    application = Application(stack)
    page.set_default_timeout(30_000)
    tasks = [application.task(application.contact(f"Contact {number}")) for number in range(CONTACTS)]
    every = itertools.islice(itertools.cycle(tasks), WARM_UP_RUNS + runs)
    return [one_run(page, application, stack, task) for task in every][WARM_UP_RUNS:]


def by_held_polling(folder: Path, page: Page, runs: int) -> Runs:
    """Measure on the embedded stack."""
    with Stack(folder, {}) as stack:
        page.goto(stack.url)
        page.locator(hooks.updates("live")).wait_for()
        return warm_and_run(page, stack, runs)


def over_realtime(folder: Path, page: Page, runs: int) -> Runs:
    """Measure with the stand-in for Supabase Realtime."""
    with (
        Background() as background,
        RealtimeStack(background, folder, bundle(folder / "vendor")) as stack,
    ):
        stack.project.people[EMAIL] = DEMO_USER_ID
        page.goto(stack.url)
        form = page.get_by_test_id("sign-in")
        form.locator("[name=email]").fill(EMAIL)
        form.locator("[name=password]").fill("of no importance")
        form.locator("[type=submit]").click()
        stack.project.realtime.seen.wait_for(lambda seen: seen.what == "joined")
        figures = warm_and_run(page, cast("Stack", stack), runs)
        assert stack.project.realtime.open_sockets == 1, "it was not Realtime that was measured"
        return figures


WAYS: dict[str, Callable[[Path, Page, int], Runs]] = {
    "held polling": by_held_polling,
    "realtime": over_realtime,
}


@contextmanager
def a_page() -> Iterator[Page]:
    """Open one tab of Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.program(), args=chromium.ARGUMENTS)
        yield browser.new_page()
        browser.close()


def in_a_page(way: Callable[[Path, Page, int], Runs], runs: int) -> Runs:
    """Measure one way in a folder and a browser of its own."""
    with tempfile.TemporaryDirectory() as name, a_page() as page:
        folder = Path(name)
        folder.chmod(0o711)  # the embedded Postgres' own account passes through
        return way(folder, page, runs)


def summary(values: list[float]) -> dict[str, float]:
    """Return p50, p95 and the maximum."""
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    named = {"p50": percentiles[49], "p95": percentiles[94], "max": max(values)}
    return {name: round(value, 1) for name, value in named.items()}


def main() -> int:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--way", choices=WAYS, help="one of the two ways only")
    parser.add_argument("--json", type=Path, help="file for the figures of every run")
    options = parser.parse_args()
    if lack := chromium.missing():
        print(lack, file=sys.stderr)
        return 1
    report: dict[str, dict[str, object]] = {}
    for way in [options.way] if options.way else WAYS:
        runs = in_a_page(WAYS[way], options.runs)
        figures = {leg: summary([run[leg] for run in runs]) for leg in runs[0]}
        report[way] = {"summary": figures, "runs": runs, "load": os.getloadavg()[0]}
        print(f"commit to badge in Chromium by {way}, {len(runs)} runs, ms (load {os.getloadavg()[0]:.1f})")
        print(f"{'':10}{'p50':>8}{'p95':>8}{'max':>8}")
        for leg, figure in figures.items():
            numbers = "".join(f"{value:8.1f}" for value in figure.values())
            print(f"{leg:10}{numbers}  {LEGS.get(leg, '')}")
        met = figures["total"]["p95"] < AIM_P95_MS
        print(f"aim: p95 under {AIM_P95_MS}: {'met' if met else 'MISSED'}\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"unit": "ms", "ways": report}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
