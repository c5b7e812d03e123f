"""From figures to what a person reads.

In: a section's figures, the verdicts. Out: lines. Touches: nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.bench.aims import Verdict

LONGEST_LIST = 12


def figures_as_lines(figures: Mapping[str, Any], indent: str = "    ") -> Iterator[str]:
    """Return one line for each figure; what is nested stands further in, a list of rows is a table."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}"
            yield from figures_as_lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield f"{indent}{name}"
            yield from _table(value, indent + "  ")
        elif isinstance(value, list) and len(value) > LONGEST_LIST:
            yield f"{indent}{name}: {len(value)} values, {_number(min(value))} to {_number(max(value))}"
        else:
            yield f"{indent}{name}: {_number(value)}"


def verdicts_as_lines(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Return the table of aims."""
    yield ""
    yield f"{'aim':64} {'limit':>12} {'measured':>12}"
    for one in verdicts:
        limit = f"{'≥' if one['at_least'] else '≤'} {_number(one['limit'])} {one['unit']}".strip()
        measured = "-" if one["figure"] is None else f"{_number(one['figure'])} {one['unit']}".strip()
        word = {True: "met", False: "MISSED", None: "not measured"}[one["met"]]
        yield f"{one['what']:64} {limit:>12} {measured:>12}  {word}"


def _table(rows: list[Mapping[str, Any]], indent: str) -> Iterator[str]:
    heads = [name for name, value in rows[0].items() if not isinstance(value, list | Mapping)]
    cells = [[_number(row.get(head)) for head in heads] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for line in (heads, *cells):
        yield indent + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(_number(one) for one in value)
    return str(value)
