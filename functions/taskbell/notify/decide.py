"""What does a change mean, and to whom? The design's decision table.

In: claimed events with all their context, and the time. Out: one `Decision` each. Pure: the same input gives
the same decision, however often and in whatever order it is asked.

| task                       | state       | notification                                            |
|----------------------------|-------------|---------------------------------------------------------|
| pending, in_progress       | the same    | none                                                    |
| completed, a draft exists  | draft_ready | "Draft ready for NAME" · AGENT                          |
| completed, no draft        | completed   | "AGENT finished for NAME"                               |
| failed                     | failed      | "AGENT failed for NAME" · the reason, urgent and sticky |
| deleted                    | none        | none; what is not yet sent is cancelled                 |
| a follow-up that fell due  | as it was   | "Follow-up due: NAME" · its note, or AGENT              |
| any, of a contact that the recipient may not see | none for the contact | without a name           |
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from taskbell.model import (
    Decision,
    Event,
    Kind,
    Notification,
    Operation,
    Recipient,
    RecipientDecision,
    Status,
    Task,
    Urgency,
)
from taskbell.notify.quiet import BURST, minute_end, quiet_until
from taskbell.notify.shorten import one_line, shorten
from taskbell.notify.texts import TEXTS, language_of, phrase_of
from taskbell.notify.topic import topic

TTL_SECONDS = 24 * 60 * 60
"""How long a push service keeps a message for a device that is off."""

NAME_LENGTH = 80
REASON_LENGTH = 160
"""Characters, as people count them, of a name in a title and of a failure's reason."""

FOLLOWUP_DUE = "followup_due"
"""The status of what `taskbell.raise_due_followups` makes an event of: news that changes no badge."""

_RINGS = {Status.DRAFT_READY: Kind.DRAFT_READY, Status.COMPLETED: Kind.COMPLETED, Status.FAILED: Kind.FAILED}

DecideOne = Callable[[Event, datetime, Counter[str]], Decision]


def decide_all(events: Sequence[Event], now: datetime, decide_one: DecideOne | None = None) -> list[Decision]:
    """Return a decision for each event, in order; a burst within the batch counts as one over time.

    `decide_one` stands in for `decide` where its errors must not end the batch.
    """
    rung: Counter[str] = Counter()
    decisions = []
    for event in events:
        decision = (decide_one or decide)(event, now, rung)
        decisions.append(decision)
        rung.update(one.user_id for one in decision.recipients if one.notification is not None)
    return decisions


def decide(event: Event, now: datetime, rung: Counter[str] | None = None) -> Decision:
    """Return what `event` means to each of its recipients at `now`.

    `rung` counts, by user, the notifications decided since the events were claimed. A status that the table
    does not know ends in a dead letter (`unknown_status`): `taskbell.describe_task` has to name one that it
    does.
    """
    already = rung if rung is not None else Counter[str]()
    deleted = event.operation is Operation.DELETE
    status = None if deleted else _status(event.task)
    kind = Kind.FOLLOWUP_DUE if _is_due_followup(event) else _RINGS.get(status) if status else None
    dead = "unknown_status" if status is None and kind is None and not deleted else None
    recipients = () if dead else event.recipients
    return Decision(
        event_id=event.id,
        task_id=event.task_id,
        operation=event.operation,
        occurred_at=event.occurred_at,
        dead=dead,
        recipients=tuple(
            _for_recipient(event, status, kind, one, now, already[one.user_id]) for one in recipients
        ),
    )


def _is_due_followup(event: Event) -> bool:
    return event.task.status == FOLLOWUP_DUE and event.operation is not Operation.DELETE


def _status(task: Task) -> Status | None:
    match task.status:
        case "pending":
            return Status.PENDING
        case "in_progress":
            return Status.IN_PROGRESS
        case "completed":
            return Status.DRAFT_READY if task.has_draft else Status.COMPLETED
        case "failed":
            return Status.FAILED
        case _:
            return None


def _for_recipient(
    event: Event, status: Status | None, kind: Kind | None, recipient: Recipient, now: datetime, rung: int
) -> RecipientDecision:
    task = event.task
    # Without a name the recipient may not see the contact: neither its name nor its id goes any further.
    contact_id = task.contact_id if recipient.contact_name is not None else None
    notification = None
    if kind is not None and _wanted(kind, recipient, contact_id, task.agent_id):
        notification = _word(event, kind, recipient, contact_id, _hold(recipient, now, rung))
    return RecipientDecision(
        user_id=recipient.user_id,
        contact_id=contact_id,
        agent_id=task.agent_id,
        agent_name=task.agent_name,
        status=status,
        reason=_reason(task.failure) if status is Status.FAILED else None,
        notification=notification,
    )


def _wanted(kind: Kind, recipient: Recipient, contact_id: str | None, agent_id: str | None) -> bool:
    preferences = recipient.preferences
    return (
        preferences.kinds.get(kind, True)
        and preferences.agents.get(agent_id or "", True)
        and contact_id not in preferences.muted_contacts
    )


def _hold(recipient: Recipient, now: datetime, rung: int) -> datetime | None:
    quiet = quiet_until(recipient.preferences, now)
    if quiet is not None:
        return quiet
    burst = recipient.preferences.digest and recipient.recent_count + rung >= BURST
    return minute_end(now) if burst else None


def _word(
    event: Event, kind: Kind, recipient: Recipient, contact_id: str | None, hold_until: datetime | None
) -> Notification:
    language = language_of(recipient.preferences.language)
    texts = TEXTS[language]
    contact = shorten(one_line(recipient.contact_name or ""), NAME_LENGTH)
    agent = shorten(one_line(event.task.agent_name or ""), NAME_LENGTH) or texts.some_agent
    phrase = phrase_of(texts, kind)
    body = {
        Kind.DRAFT_READY: agent,
        Kind.COMPLETED: texts.no_draft,
        Kind.FAILED: _reason(event.task.failure) or texts.no_reason,
        Kind.FOLLOWUP_DUE: _reason(event.task.failure) or agent,
    }[kind]
    failed = kind is Kind.FAILED
    # A follow-up stands beside what an agent did for the contact, and takes nothing off the screen.
    contact_of_task = None if kind is Kind.FOLLOWUP_DUE else contact_id
    name = topic(recipient.user_id, contact_of_task or f"task:{event.task_id}", event.task.agent_id)
    waits = hold_until - event.occurred_at if hold_until else timedelta()
    return Notification(
        kind=kind,
        title=(phrase.named if contact else phrase.nameless).format(contact=contact, agent=agent),
        body=body,
        lang=language,
        url=f"/?contact={quote(contact_id, safe='')}" if contact_id else "/",
        tag=name,
        topic=name,
        urgency=Urgency.HIGH if failed else Urgency.NORMAL,
        # What is held back keeps its full day at the push service.
        ttl_seconds=TTL_SECONDS + max(0, int(waits.total_seconds())),
        sticky=failed,
        contact_name=contact or None,
        agent_name=agent,
        hold_until=hold_until,
    )


def _reason(failure: str | None) -> str | None:
    return shorten(one_line(failure or ""), REASON_LENGTH) or None
