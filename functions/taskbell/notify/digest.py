"""Makes one message of many that were held: "12 drafts ready: Ada, Grace, …".

In: claimed deliveries. Out: `Parcel`s, each one message that stands for one or more deliveries. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from taskbell.model import Delivery, Kind, SentNotification, Urgency
from taskbell.notify.texts import TEXTS, language_of, phrase_of
from taskbell.notify.topic import topic

NAMES = 5
"""How many contacts a digest names before it counts the rest."""


@dataclass(frozen=True)
class Parcel:
    """What is sent, and the deliveries that share its outcome."""

    delivery: Delivery
    stands_for: tuple[Delivery, ...]


def pack(deliveries: Sequence[Delivery]) -> list[Parcel]:
    """Return parcels in the order of `deliveries`; held ones of one subscription travel as one."""
    held: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if _may_merge(delivery.notification):
            held.setdefault(delivery.subscription.id, []).append(delivery)
    parcels = []
    for delivery in deliveries:
        if not _may_merge(delivery.notification):
            parcels.append(Parcel(delivery, (delivery,)))
        elif held[delivery.subscription.id][0] is delivery:
            parcels.append(_merge(held[delivery.subscription.id]))
    return parcels


def _may_merge(notification: SentNotification) -> bool:
    return notification.held and notification.digest and notification.kind not in (Kind.TEST, Kind.DIGEST)


def _merge(deliveries: list[Delivery]) -> Parcel:
    newest = max(deliveries, key=lambda one: (one.notification.event_id or 0, one.id))
    if len(deliveries) == 1:
        return Parcel(newest, (newest,))
    notifications = [one.notification for one in deliveries]
    title, body = _words(notifications, newest.notification.lang)
    name = topic(newest.notification.user_id, "digest", None)
    urgent = any(one.urgency is Urgency.HIGH for one in notifications)
    merged = newest.notification.model_copy(
        update={
            "kind": Kind.DIGEST,
            "title": title,
            "body": body,
            "url": "/",
            "tag": name,
            "topic": name,
            "task_id": None,
            "contact_id": None,
            "agent_id": None,
            "contact_name": None,
            "agent_name": None,
            "urgency": Urgency.HIGH if urgent else newest.notification.urgency,
            "sticky": any(one.sticky for one in notifications),
        }
    )
    lasts = max(one.expires_at for one in deliveries)
    sent = newest.model_copy(update={"notification": merged, "expires_at": lasts})
    return Parcel(sent, tuple(deliveries))


def _words(notifications: Sequence[SentNotification], lang: str) -> tuple[str, str]:
    """Return title and body: what there is how often, and of whom."""
    texts = TEXTS[language_of(lang)]
    kinds = Counter(one.kind for one in notifications)
    counts = [phrase_of(texts, kind).many.format(count=count) for kind, count in kinds.most_common()]
    names = _distinct(one.contact_name for one in notifications) or _distinct(
        one.agent_name for one in notifications
    )
    more = len(names) - NAMES
    listed = ", ".join(names[:NAMES]) + (f" {texts.and_more.format(count=more)}" if more > 0 else "")
    if len(counts) == 1:
        return counts[0], listed
    return texts.news.format(count=len(notifications)), "\n".join([" · ".join(counts), listed]).strip()


def _distinct(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))
