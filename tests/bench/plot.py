"""The picture of the README: what sending costs against other ways, a burst, and more than one dispatcher.

In: a report. Out: SVG, or None where none of its sections was measured. Touches: nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.plot_svg import block, line, picture, text

WIDTH, MARGIN, LABELS, PANEL_GAP = 920, 28, 250, 34
ROW, BAR = 27, 16
OURS = "Taskbell"
NAMES = {
    "pywebpush, async, shared session": "pywebpush, async, one session",
    "node web-push, Promise.all": "node web-push, all at once",
}
"""How the picture names the senders."""


@dataclass(frozen=True)
class Bar:
    """One line of a panel; `told` stands behind the bar."""

    label: str
    value: float
    told: str
    ours: bool


def plot(report: Mapping[str, Any]) -> str | None:
    """Return the panels that the report has figures for, one below the other."""
    elements: list[str] = []
    y = MARGIN + 8.0
    for panel in (_sending, _burst, _scaling):
        drawn, height = panel(report["sections"], y)
        elements += drawn
        y += height + PANEL_GAP if height else 0
    if not elements:
        return None
    elements += _footer(report, y)
    label = "Speed: 1,000 pushes against other senders, a burst to 5,000 people, throughput by dispatchers"
    return picture(WIDTH, round(y + 30), label, elements)


def _sending(sections: Mapping[str, Any], y: float) -> tuple[list[str], float]:
    found = _rows(sections, "sending", "rows")
    size = max((row["pushes"] for row in found), default=0)
    rows = [row for row in found if row["pushes"] == size and row["delay_ms"]]
    if not rows:
        return [], 0
    ours = next(row for row in rows if row["client"] == OURS)
    bars = [
        Bar(
            NAMES.get(row["client"], row["client"]),
            row["wall_ms"] / 1000,
            _seconds(row["wall_ms"] / 1000) + ("" if row is ours else _against(row, ours)),
            row is ours,
        )
        for row in sorted(rows, key=lambda row: -float(row["wall_ms"]))
    ]
    title = f"Sending {size:,} pushes to a push service {rows[0]['delay_ms']} ms away"
    floor = ours["floor_ms"] / 1000
    drawn, height = _logarithmic(bars, y, floor, f"floor: 100 in flight, {_seconds(floor)}")
    return [*_title(title, "logarithmic; the loops sent fewer, scaled", y), *drawn], height


def _burst(sections: Mapping[str, Any], y: float) -> tuple[list[str], float]:
    rows = _rows(sections, "burst", "ways")
    if not rows:
        return [], 0
    ours = next(row for row in rows if row["ours"])["last_accepted_seconds"]
    bars = []
    for row in rows:
        seconds = row["last_accepted_seconds"]
        told = _seconds(seconds) + ("" if row["ours"] else f" · {seconds / ours:,.0f} x")
        bars.append(Bar(row["way"].partition(" (")[0], seconds, told, row["ours"]))
    drawn, height = _linear(bars, y)
    title = f"One statement completes the tasks of {rows[0]['people']:,} people"
    measured = _figures(sections, "burst")["usual_way"]["people"]
    unit = (
        "seconds from commit until the last push is accepted; the usual way (a webhook, an RPC and a session "
    )
    return [*_title(title, f"{unit}a row) with {measured:,}, scaled", y), *drawn], height


def _scaling(sections: Mapping[str, Any], y: float) -> tuple[list[str], float]:
    rows = _rows(sections, "scaling", "dispatchers")
    if not rows:
        return [], 0
    bars = [
        Bar(
            f"{row['processes']} dispatcher{'s' * (row['processes'] > 1)}",
            row["pushes_a_second"],
            f"{row['pushes_a_second']:,.0f} a second",
            ours=True,
        )
        for row in rows
    ]
    drawn, height = _linear(bars, y)
    title = "Pushes a second, all on the same two cores"
    return [*_title(title, "from due to accepted and settled, by number of dispatchers", y), *drawn], height


def _title(title: str, unit: str, y: float) -> list[str]:
    return [text(MARGIN, y + 8, title, "title"), text(MARGIN, y + 27, unit, "soft")]


def _linear(bars: Sequence[Bar], y: float) -> tuple[list[str], float]:
    most = max(bar.value for bar in bars)
    room = WIDTH - LABELS - MARGIN - 150
    return _bars(bars, y + 42, [bar.value / most * room for bar in bars])


def _logarithmic(bars: Sequence[Bar], y: float, floor: float, floor_words: str) -> tuple[list[str], float]:
    """Return bars over a decade's grid, and the floor as a line that no sender can be left of."""
    decades = [math.floor(math.log10(floor)), math.ceil(math.log10(max(bar.value for bar in bars)))]
    room = (WIDTH - LABELS - MARGIN - 110) / (decades[1] - decades[0])

    def at(value: float) -> float:
        return (math.log10(value) - decades[0]) * room

    top, bottom = y + 42, y + 46 + ROW * len(bars)
    elements = []
    for decade in range(decades[0], decades[1] + 1):
        x = LABELS + at(10.0**decade)
        elements += [
            line(x, top - 4, x, bottom),
            text(x, bottom + 15, _seconds(10.0**decade), "soft", "middle"),
        ]
    drawn, height = _bars(bars, top, [at(bar.value) for bar in bars])
    x = LABELS + at(floor)
    mark = [line(x, top - 4, x, bottom, "floor"), text(x + 6, top - 8, floor_words, "soft")]
    return [*elements, *drawn, *mark], height + 20


def _bars(bars: Sequence[Bar], top: float, widths: Sequence[float]) -> tuple[list[str], float]:
    elements = []
    for number, (bar, width) in enumerate(zip(bars, widths, strict=True)):
        y = top + number * ROW
        kind = "strong" if bar.ours else ""
        elements += [
            text(LABELS - 10, y + BAR - 3, bar.label, kind, "end"),
            block(LABELS, y, width, BAR, "ours" if bar.ours else "peer"),
            text(LABELS + width + 8, y + BAR - 3, bar.told, kind),
        ]
    return elements, 42 + ROW * len(bars)


def _footer(report: Mapping[str, Any], y: float) -> list[str]:
    machine, versions = report["machine"], report["versions"]
    words = (
        f"{machine['cores']} cores ({machine['processor']}), Python {versions['python']}, "
        f"Postgres {versions['postgres']}, libcurl {versions['libcurl']}; "
        f"{report['date'][:10]}, commit {str(report['commit'])[:7]}"
    )
    return [text(MARGIN, y + 4, words + (": QUICK RUN, NO MEASUREMENT" if report["quick"] else ""), "soft")]


def _figures(sections: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = sections.get(section, {}).get("figures", {})
    return found


def _rows(sections: Mapping[str, Any], section: str, name: str) -> list[Any]:
    return list(_figures(sections, section).get(name, []))


def _against(row: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    times = row["wall_ms"] / ours["wall_ms"]
    return f" · {times:,.0f} x" if times >= 20 else f" · {times:.1f} x"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
