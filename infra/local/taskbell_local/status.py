"""`taskbell status`: what is blocked, due and dead. In: the database. Out: lines, the worst news first."""

from pathlib import Path
from typing import Any

from taskbell_local import dead_letters
from taskbell_local.database import call, connect, settings_of


def run(env_file: Path) -> None:
    """Print the operator's overview, and the newest dead letters."""
    with connect(settings_of(env_file)) as connection:
        told = lines(call(connection, "taskbell_status"))
        print("\n".join([*told, *dead_letters.lines(dead_letters.find(connection))]))


def lines(found: dict[str, Any]) -> list[str]:
    """Return the overview for a person: push services that refuse us, then counts."""
    events, deliveries, subscriptions = found["events"], found["deliveries"], found["subscriptions"]
    blocked = [_blocked(service) for service in found["blocked_push_services"]]
    oldest = events["oldest_due_seconds"]
    waiting = f", the oldest for {oldest:.0f} s" if oldest else ""
    sent = f"{deliveries['due']} due, {deliveries['accepted_24h']} accepted in the last 24 hours"
    return [
        *(blocked or ["push services: none blocked"]),
        f"events: {events['due']} due{waiting}, {events['dead']} dead",
        f"deliveries: {sent}, {deliveries['dead']} dead",
        f"subscriptions: {subscriptions['live']} live, {subscriptions['retired']} retired",
    ]


def _blocked(service: dict[str, Any]) -> str:
    refusal = f"BLOCKED {service['origin']} since {service['since']}: {service['reason']}"
    return f"{refusal}; tried again at {service['blocked_until']}. Check VAPID_PRIVATE_KEY and VAPID_SUBJECT."
