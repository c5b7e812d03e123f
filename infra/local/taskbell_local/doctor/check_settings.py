"""Are the settings there, well-formed, fit for the world outside? Pure; no value of one is shown."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from taskbell.settings import is_loopback
from taskbell_local.doctor.facts import Facts
from taskbell_local.doctor.verdict import Bad, Check, Good, Verdict

SECTION = "Settings"
# Names that no mail or page on the Internet has (RFC 2606, RFC 6761, RFC 6762): nobody can be reached there.
RESERVED = ("example", "example.com", "example.net", "example.org", "invalid", "test", "local", "internal")


def on_this_machine(facts: Facts) -> bool:
    """Tell whether this is the embedded stack, or another on loopback."""
    return is_loopback(urlsplit(facts.settings.settings.public_url).hostname or "")


def _is_well_formed(name: str, found: Callable[[Facts], str]) -> Check:
    def look(facts: Facts) -> Verdict:
        fault = facts.settings.faults.get(name)
        if fault is None:
            return Good(found(facts) if facts.settings.given(name) else "not set; the functions do without")
        # "NAME is wrong: mend it so", where a colon may also belong to mailto: or https:.
        what, remedy = [*re.split(r"(?<!mailto)(?<!https): ", fault, maxsplit=1), "Correct it."][:2]
        return Bad(what.removeprefix(f"{name} "), remedy[:1].upper() + remedy[1:])

    return Check(name.lower(), SECTION, name, look)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _public_url(facts: Facts) -> Verdict:
    if urlsplit(facts.settings.settings.public_url).path:
        return Bad(
            "PUBLIC_URL has a path, and the page and its worker live at the root",
            "Give the page a host of its own, and set PUBLIC_URL to https:// and that host alone.",
        )
    if on_this_machine(facts):
        return Good(
            "on this machine only: a phone needs a tunnel (`taskbell dev --public-url`) or a deployment"
        )
    return Good("https")


def _subject(facts: Facts) -> Verdict:
    host = facts.settings.settings.vapid_subject.rpartition("@")[2].removeprefix("https://").partition("/")[0]
    name = host.lower().partition(":")[0]
    if not any(name == reserved or name.endswith(f".{reserved}") for reserved in RESERVED):
        return Good("a mail address or page that push services may write to")
    if on_this_machine(facts):
        return Good("a placeholder: good enough here, not for a deployment")
    return Bad(
        "VAPID_SUBJECT names a host that nobody can reach, and Apple refuses such tokens (BadJwtToken)",
        "Set VAPID_SUBJECT to mailto: and an address that reaches you, and deploy the functions again.",
    )


def _publishable_key(facts: Facts) -> Verdict:
    where = "copy it from the Supabase dashboard, Project Settings → API keys → Publishable key."
    if "SUPABASE_PUBLISHABLE_KEY" in facts.settings.faults:
        return Bad(
            "holds a secret key, and the page would show it to everybody",
            f"Revoke that secret key at once and make another. Then {where}",
        )
    if facts.settings.settings.supabase_publishable_key:
        return Good("for the page's sign-in")
    if on_this_machine(facts):
        return Good("not set: the demo signs in without")
    return Bad("missing, and nobody can sign in on the page", where[:1].upper() + where[1:])


def _keys_fit(facts: Facts) -> Verdict:
    keys = facts.settings.settings.vapid_private_keys
    if len(set(keys)) < len(keys):
        return Bad(
            "VAPID_PRIVATE_KEY lists a key twice", "Remove the repetition; the newest key stands last."
        )
    return Good(_count(len(keys), "key"))


def checks() -> Iterator[Check]:
    """Yield this section's checks in order."""
    yield _is_well_formed("PUBLIC_URL", lambda _: "well-formed")
    yield _is_well_formed("SUPABASE_URL", lambda _: "well-formed")
    yield _is_well_formed("SUPABASE_SECRET_KEY", lambda _: "a secret key")
    yield Check(
        "supabase_publishable_key", SECTION, "SUPABASE_PUBLISHABLE_KEY", _publishable_key, ("public_url",)
    )
    yield _is_well_formed("DATABASE_URL", lambda _: "well-formed")
    yield _is_well_formed("VAPID_PRIVATE_KEY", lambda _: "base64url of P-256")
    yield _is_well_formed("VAPID_SUBJECT", lambda _: "well-formed")
    yield _is_well_formed(
        "WEBHOOK_SECRETS", lambda facts: _count(len(facts.settings.settings.webhook_secrets), "secret")
    )
    yield _is_well_formed(
        "EXTRA_PUSH_ORIGINS", lambda facts: _count(len(facts.settings.settings.extra_push_origins), "origin")
    )
    yield _is_well_formed("SWEEP_CALLER", lambda _: "a scheduler's account")
    yield _is_well_formed("DEMO_TOKEN", lambda _: "for this machine")
    yield Check("vapid_keys", SECTION, "VAPID keys side by side", _keys_fit, ("vapid_private_key",))
    yield Check(
        "vapid_contact", SECTION, "VAPID subject for Apple", _subject, ("vapid_subject", "public_url")
    )
    yield Check("page_address", SECTION, "page over https", _public_url, ("public_url",))
