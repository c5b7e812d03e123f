"""What became of a task, for a person. In: the JSON of `taskbell_trace`. Out: lines. Touches nothing."""

from collections import Counter
from typing import Any

Trace = dict[str, Any]


def is_settled(trace: Trace) -> bool:
    """Tell whether nothing more happens soon: each event handled, each delivery tried once or held back."""
    handled = bool(trace["events"]) and all(event["state"] != "due" for event in trace["events"])
    return handled and all(
        delivery["state"] != "due" or _is_held(delivery) or delivery["reason"]
        for delivery in trace["deliveries"]
    )


def is_held_back(trace: Trace) -> bool:
    """Tell whether a delivery waits for the end of quiet hours or of a burst."""
    return any(_is_held(delivery) for delivery in trace["deliveries"])


def lines(trace: Trace) -> list[str]:
    """Return one line for each event, notification and delivery."""
    return [
        *(_event(event) for event in trace["events"]),
        *(f"notification “{notification['title']}”" for notification in trace["notifications"]),
        *(_delivery(delivery) for delivery in trace["deliveries"]),
    ]


def summary(traces: list[Trace]) -> str:
    """Return one line: how many deliveries ended how, and how long those took that were accepted."""
    deliveries = [delivery for trace in traces for delivery in trace["deliveries"]]
    counts = Counter(delivery["state"] for delivery in deliveries)
    took = sorted(delivery["latency_ms"] for delivery in deliveries if delivery["latency_ms"] is not None)
    shown = ", ".join(f"{count} {state}" for state, count in counts.most_common()) or "none"
    times = f"; accepted after p50 {_percentile(took, 50)} ms, p95 {_percentile(took, 95)} ms" if took else ""
    return f"{len(traces)} tasks, {len(deliveries)} deliveries: {shown}{times}"


def _event(event: Trace) -> str:
    states = {"due": "waits to be looked at", "done": "handled", "dead": "DEAD"}
    why = f" ({event['reason']})" if event["reason"] else ""
    status = f" {event['status']}" if event.get("status") else ""
    state = states.get(event["state"], event["state"])
    return f"event {event['id']}: {event['operation']}{status}: {state}{why}"


def _delivery(delivery: Trace) -> str:
    code = f" with {delivery['status_code']}" if delivery["status_code"] else ""
    told_by_code = (None, f"http_{delivery['status_code']}")
    why = f", {delivery['reason']}" if delivery["reason"] not in told_by_code else ""
    took = f", {delivery['latency_ms']:.0f} ms after the change" if delivery["latency_ms"] is not None else ""
    state = delivery["state"]
    if state == "due":
        state = "held back (quiet hours or a burst)" if _is_held(delivery) else "tried again later"
    name = delivery["subscription_name"] or "a browser"
    return f"delivery {delivery['id']} to {name} ({delivery['origin']}): {state}{code}{why}{took}"


def _is_held(delivery: Trace) -> bool:
    return bool(delivery["state"] == "due" and delivery["attempts"] == 0)


def _percentile(ordered: list[float], percent: int) -> int:
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)])
