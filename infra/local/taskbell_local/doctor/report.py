"""Findings, for a person and for machines. Pure."""

import json
from collections import Counter
from collections.abc import Sequence

from taskbell_local.doctor.verdict import Bad, Finding

MARKS = {"ok": "✓", "failed": "✗", "skipped": "–"}  # noqa: RUF001  a dash, on purpose


def as_text(findings: Sequence[Finding]) -> str:
    """Return a line for each finding under its section, each ✗ with its remedy below."""
    lines: list[str] = []
    section = ""
    width = max(len(finding.check.title) for finding in findings)
    for finding in findings:
        if finding.check.section != section:
            lines += ["", section := finding.check.section] if lines else [section := finding.check.section]
        lines.append(f"  {MARKS[finding.outcome]} {finding.check.title:<{width}}  {finding.verdict.found}")
        if isinstance(finding.verdict, Bad):
            lines.append(f"    → {finding.verdict.remedy}")
    return "\n".join([*lines, "", _summary(findings)])


def _summary(findings: Sequence[Finding]) -> str:
    number = Counter(finding.outcome for finding in findings)
    skipped = f", {number['skipped']} skipped" if number["skipped"] else ""
    if not number["failed"]:
        return f"All is well: {number['ok']} checks{skipped}."
    return f"{number['failed']} of {len(findings)} checks failed{skipped}. Begin with the first ✗."


def as_json(findings: Sequence[Finding]) -> str:
    """Return `{"ok", "checks": [{"check", "section", "title", "outcome", "found", "remedy"}]}`."""
    checks = [
        {
            "check": finding.check.slug,
            "section": finding.check.section,
            "title": finding.check.title,
            "outcome": finding.outcome,
            "found": finding.verdict.found,
            "remedy": finding.verdict.remedy if isinstance(finding.verdict, Bad) else None,
        }
        for finding in findings
    ]
    return json.dumps({"ok": is_well(findings), "checks": checks}, ensure_ascii=False, indent=2)


def is_well(findings: Sequence[Finding]) -> bool:
    """Tell whether nothing failed."""
    return all(finding.outcome != "failed" for finding in findings)
