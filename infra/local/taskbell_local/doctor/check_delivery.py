"""Is anything stuck, refused or dead, and does a test arrive? Pure."""

from collections.abc import Iterator

from taskbell.errors import TaskbellError
from taskbell.model import OutcomeKind
from taskbell.push import Vapid
from taskbell_local.doctor.facts import Facts
from taskbell_local.doctor.verdict import Bad, Check, Good, Skipped, Verdict

SECTION = "Delivery"
LONGEST_WAIT_SECONDS = 120
AGAIN = "then run `taskbell sweep --again`."


def _backlog(facts: Facts) -> Verdict:
    events = facts.database.need("status")["events"]
    oldest = events["oldest_due_seconds"] or 0
    if oldest > LONGEST_WAIT_SECONDS:
        return Bad(
            f"{events['due']} events wait, the oldest for {oldest:.0f} s",
            "Mend the wake-up above; until then, `taskbell sweep` delivers what is due.",
        )
    return Good("nothing waits" if not events["due"] else f"{events['due']} on their way")


def _blocked(facts: Facts) -> Verdict:
    blocked = facts.database.need("status")["blocked_push_services"]
    if not blocked:
        return Good("none refuses us")
    services = ", ".join(f"{service['origin']} ({service['reason']})" for service in blocked)
    return Bad(
        f"refused us, so that we leave alone for a while: {services}",
        "Check VAPID_PRIVATE_KEY and VAPID_SUBJECT of the deployed functions. Then, in SQL: "
        "delete from taskbell.push_services where true;",
    )


def _known_keys(facts: Facts) -> Verdict:
    from taskbell.push.refusal import NoMatchingVapidKey

    settings = facts.settings.settings
    vapid = Vapid(settings.vapid_private_keys, settings.vapid_subject)
    strange = live = 0
    for public_key, number in facts.database.need("subscription_keys").items():
        live += number
        try:
            vapid.authorization("https://push.example", public_key)
        except NoMatchingVapidKey:
            strange += number
        except TaskbellError as error:
            return Bad("a key cannot be read", f"Make one with `taskbell keys`: {error}.")
    if strange:
        return Bad(
            f"{strange} of {live} browsers subscribed with a VAPID key that is not ours any more",
            "Put the former key back before the newest in VAPID_PRIVATE_KEY; each such browser renews itself "
            "when its page is next opened.",
        )
    return Good(f"{live} live, each with a key of ours" if live else "no browser is subscribed yet")


def _dead(facts: Facts) -> Verdict:
    events, deliveries = facts.database.need("dead_events"), facts.database.need("dead_deliveries")
    rejected = [one for one in deliveries if one["state"] == "rejected"]
    late = sum(one["number"] for one in deliveries if one["state"] == "expired")
    if events:
        return Bad(
            f"{sum(one['number'] for one in events)} events, {_reasons(events)}",
            "`taskbell status` lists them. Mend the cause (describe_failed: migrations/*_describe.sql), "
            + AGAIN,
        )
    if rejected:
        return Bad(
            f"{sum(one['number'] for one in rejected)} deliveries refused in 7 days, {_reasons(rejected)}",
            f"`taskbell status` lists them. Mend the cause, {AGAIN}",
        )
    return Good(f"none; {late} came too late for their browsers in 7 days" if late else "none")


def _reasons(dead: list[dict[str, object]]) -> str:
    return "mostly " + str(dead[0]["reason"] or dead[0].get("status_code") or "without a reason")


def _test(facts: Facts) -> Verdict:
    push = facts.push
    if not push.asked:
        return Skipped("not asked for: --send-test rings the browser that was on the page last")
    if push.error:
        return Bad(f"not sent ({push.error})", "Look at the checks of the database above.")
    if push.outcome is None:
        return Bad("no browser is subscribed", "Open the page, click “Notify this browser”, and ask again.")
    outcome = push.outcome
    if outcome.kind is OutcomeKind.ACCEPTED:
        return Good(f"accepted for {push.to}: it shows there within seconds")
    why = outcome.reason or f"http_{outcome.status_code}"
    if outcome.kind is OutcomeKind.GONE:
        return Bad(f"{push.to} is gone ({why})", "Open the page on it: it subscribes again by itself.")
    if outcome.kind is OutcomeKind.MISCONFIGURED:
        return Bad(
            f"the push service refused us ({why})",
            "Keep the key that the browser subscribed with in VAPID_PRIVATE_KEY, and a VAPID_SUBJECT that "
            "reaches you.",
        )
    return Bad(f"{outcome.kind.value} ({why})", "Ask again in a minute, and look at `taskbell status`.")


def checks() -> Iterator[Check]:
    """Yield this section's checks in order."""
    migrated = ("migrations",)
    yield Check("backlog", SECTION, "backlog", _backlog, migrated)
    yield Check("push_services", SECTION, "push services", _blocked, migrated)
    keys = (*migrated, "vapid_private_key")
    yield Check("subscriptions", SECTION, "subscriptions", _known_keys, keys)
    yield Check("dead_letters", SECTION, "dead letters", _dead, migrated)
    sends = ("subscriptions", "public_url", "vapid_subject", "webhook_secrets", "extra_push_origins")
    yield Check("test_push", SECTION, "test push", _test, sends)
