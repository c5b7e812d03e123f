"""What the functions log, for a person at a terminal.

In: lines as a deployed function writes them, JSON for Cloud Logging. Out: one readable line each, and nothing
for what is no news: a look that found nothing due, a step of which the answer tells. Touches nothing.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from taskbell_local.counts import in_words

Fields = Mapping[str, Any]
LABELS = {"severity", "message", "logger", "time", "stage", "place", "milliseconds", "status_code"}


class FunctionLog:
    """Reads one function's lines in their order."""

    def __init__(self) -> None:
        self._goes_on = False

    def readable(self, line: str) -> str | None:
        """Return what to show of a line, None for nothing; what is not ours is shown as it is."""
        try:
            fields = json.loads(line)
        except ValueError:
            return line.rstrip()
        if not isinstance(fields, dict) or not {"severity", "message", "time"} <= fields.keys():
            return line.rstrip()
        said = self._said(fields)
        if said is None:
            return None
        stage = fields.get("stage") or str(fields.get("logger", "")).rpartition(".")[2]
        return f"{_clock(fields['time'])} {stage:<8} {said}{_took(fields)}{_place(fields)}"

    def _said(self, fields: Fields) -> str | None:
        match fields["message"]:
            case "answered":
                return self._answered(fields)
            case "dispatched":
                # The answer told the same, unless it was given before the work was done.
                goes_on, self._goes_on = self._goes_on, False
                return in_words(fields) or None if goes_on else None
        return None if fields["severity"] == "INFO" else _trouble(fields)

    def _answered(self, fields: Fields) -> str | None:
        if fields.get("reason"):
            return f"refused with {fields['status_code']}: {fields['reason']}"
        if fields.get("unfinished"):
            self._goes_on = True
            return f"{fields['status_code']}, and goes on working"
        said = in_words(fields.get("dispatched") or {})
        recorded = fields.get("recorded") or {}
        if recorded.get("reason"):
            said = f"row not taken ({recorded['reason']}){', ' if said else ''}{said}"
        return f"{fields['status_code']}, {said}" if said else None


def _trouble(fields: Fields) -> str:
    details = [
        f"{name.replace('_', ' ')} {value}" for name, value in fields.items() if name not in LABELS and value
    ]
    return str(fields["message"]) + (f": {', '.join(details)}" if details else "")


def _clock(time: str) -> str:
    """Return the time of day on this machine's clock."""
    try:
        return f"{datetime.fromisoformat(time).astimezone():%H:%M:%S}"
    except ValueError:
        return time


def _took(fields: Fields) -> str:
    return f" ({fields['milliseconds']:.0f} ms)" if "milliseconds" in fields else ""


def _place(fields: Fields) -> str:
    return "".join(f"\n{entry.rstrip()}" for entry in fields.get("place") or ())
