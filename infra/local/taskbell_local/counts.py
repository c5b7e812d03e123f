"""What a dispatch did, in words. In: the counts that functions answer with. Out: a text. Pure."""

from collections.abc import Mapping
from typing import Any

OUTCOMES = {
    "accepted": "accepted",
    "retry": "tried again later",
    "gone": "gone",
    "rejected": "rejected",
    "misconfigured": "refused our VAPID key",
    "expired": "expired",
    "unsettled": "not written down",
}


def in_words(dispatched: Mapping[str, Any]) -> str:
    """Return such as `2 changes, 1 notification, 1 delivery: 1 accepted`; nothing where nothing was due."""
    said = [
        counted(number, word)
        for name, word in (("events", "change"), ("notified", "notification"))
        if (number := _number(dispatched, name))
    ]
    if deliveries := _number(dispatched, "deliveries"):
        ended = [
            f"{_number(dispatched, name)} {word}" for name, word in OUTCOMES.items() if dispatched.get(name)
        ]
        said.append(
            counted(deliveries, "delivery", "deliveries") + (f": {', '.join(ended)}" if ended else "")
        )
    elif _number(dispatched, "notified"):
        said.append("nothing to send now")
    if dead := _number(dispatched, "dead"):
        said.append(counted(dead, "dead letter"))
    return ", ".join(said)


def counted(number: int, word: str, words: str | None = None) -> str:
    """Return the number with its word."""
    return f"{number} {word if number == 1 else words or f'{word}s'}"


def _number(dispatched: Mapping[str, Any], name: str) -> int:
    number = dispatched.get(name)
    return number if isinstance(number, int) else 0
