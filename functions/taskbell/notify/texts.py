"""All words of notifications, in each language; nothing else in the functions speaks to users.

In: a language and names. Out: text. Pure. To add a language, add one entry to TEXTS; the type checker names
what is missing.
"""

from dataclasses import dataclass

from taskbell.model import Kind


@dataclass(frozen=True)
class Phrase:
    """One sentence in three forms: with a contact's name, without, and for `{count}` at once."""

    named: str
    nameless: str
    many: str


@dataclass(frozen=True)
class Texts:
    """The words of one language; `{contact}`, `{agent}` and `{count}` are filled in."""

    draft_ready: Phrase
    completed: Phrase
    failed: Phrase
    followup_due: Phrase
    some_agent: str
    no_draft: str
    no_reason: str
    news: str
    and_more: str
    test_title: str
    test: str


TEXTS = {
    "en": Texts(
        draft_ready=Phrase("Draft ready for {contact}", "Draft ready", "{count} drafts ready"),
        completed=Phrase("{agent} finished for {contact}", "{agent} finished", "{count} finished"),
        failed=Phrase("{agent} failed for {contact}", "{agent} failed", "{count} failed"),
        followup_due=Phrase("Follow-up due: {contact}", "A follow-up is due", "{count} follow-ups due"),
        some_agent="Your agent",
        no_draft="There is no draft to review.",
        no_reason="No reason was given.",
        news="{count} updates",
        and_more="and {count} more",
        test_title="Notifications work here",
        test="This browser gets your notifications.",
    ),
    "de": Texts(
        draft_ready=Phrase("Entwurf fertig für {contact}", "Entwurf fertig", "{count} Entwürfe fertig"),
        completed=Phrase("{agent} ist fertig für {contact}", "{agent} ist fertig", "{count} fertig"),
        failed=Phrase(
            "{agent} ist gescheitert für {contact}", "{agent} ist gescheitert", "{count} gescheitert"
        ),
        followup_due=Phrase(
            "Wiedervorlage fällig: {contact}",
            "Eine Wiedervorlage ist fällig",
            "{count} Wiedervorlagen fällig",
        ),
        some_agent="Dein Agent",
        no_draft="Es gibt keinen Entwurf zu prüfen.",
        no_reason="Ein Grund wurde nicht genannt.",
        news="{count} Neuigkeiten",
        and_more="und {count} weitere",
        test_title="Benachrichtigungen kommen hier an",
        test="Dieser Browser empfängt deine Benachrichtigungen.",
    ),
}


def language_of(wanted: str) -> str:
    """Return the language we have for a BCP 47 tag: `de-AT` is spoken to in `de`, others in English."""
    primary = wanted.replace("_", "-").split("-")[0].lower()
    return primary if primary in TEXTS else "en"


def phrase_of(texts: Texts, kind: Kind) -> Phrase:
    """Return the phrase for a kind of task notification; raises KeyError for a test or a digest."""
    return {
        Kind.DRAFT_READY: texts.draft_ready,
        Kind.COMPLETED: texts.completed,
        Kind.FAILED: texts.failed,
        Kind.FOLLOWUP_DUE: texts.followup_due,
    }[kind]
