"""Does the database wake the functions, at once and by the clock? Pure."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from taskbell.settings import is_loopback
from taskbell_local.doctor import check_clocks
from taskbell_local.doctor.facts import Facts
from taskbell_local.doctor.verdict import Bad, Check, Good, Skipped, Verdict

SECTION = "Wake-up"
KEEP = (
    "Keep both in Vault: taskbell vault --env FILE --webhook https://…/webhook with the address of the "
    "function webhook (Terraform prints it as webhook_url); the secret is the newest in FILE."
)
RESTART = "Restart pg_net in SQL: select net.worker_restart(); if that is not enough, restart the project."
LATE_SECONDS = {True: 90, False: 240}  # by whether the schedule counts seconds


def _secret(facts: Facts) -> Verdict:
    kept = (facts.database["secrets"] or {}).get("taskbell_webhook_secret")
    secrets = facts.settings.settings.webhook_secrets
    if kept is None:
        return Bad("missing in Vault", KEEP)
    if kept not in secrets:
        return Bad("Vault's is none of WEBHOOK_SECRETS", KEEP)
    if kept != secrets[-1]:
        return Good("an older one of WEBHOOK_SECRETS: a rotation is under way")
    return Good("the newest of WEBHOOK_SECRETS")


def _address(facts: Facts) -> Verdict:
    kept = (facts.database["secrets"] or {}).get("taskbell_webhook_url")
    if kept is None:
        return Bad("missing in Vault", KEEP)
    problem = _implausible(kept, local=_is_local(facts))
    if problem:
        return Bad(f"the address in Vault {problem}", KEEP)
    return Good(urlsplit(kept).scheme)


def _is_local(facts: Facts) -> bool:
    """Tell whether the database runs on this machine, so that it reaches what is on loopback."""
    return is_loopback(urlsplit(facts.settings.settings.database_url or "").hostname or "")


def _implausible(url: str, *, local: bool) -> str | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "cannot be read"
    if url != url.strip() or "…" in url or not host:
        return "is no web address"
    if is_loopback(host):
        return None if local else "is on loopback, where the database finds only itself"
    return None if parts.scheme == "https" else "is not https"


def _pg_net(facts: Facts) -> Verdict:
    if facts.database["pg_net"]:
        return Good("there")
    return Bad("missing", "In SQL: create extension pg_net with schema extensions;")


def _wake_up(facts: Facts) -> Verdict:
    return _judge(facts.database["wake_up"], "taskbell_webhook_url", "the function webhook")


def _clock_wake_up(facts: Facts) -> Verdict:
    if "taskbell_sweep_url" not in (facts.database["secrets"] or {}):
        return Good("goes to the webhook's address, as no taskbell_sweep_url is set")
    return _judge(facts.database["clock_wake_up"], "taskbell_sweep_url", "the function sweep")


def _judge(answer: dict[str, Any] | None, name: str, function: str) -> Verdict:
    if not answer:
        return Bad("queued, and never sent within 12 s", RESTART)
    status = answer["status"]
    if status == 200:
        return Good("signed by the database, sent by pg_net, answered with 200")
    if answer["timed_out"]:
        return Bad("no answer within 5 s", f"Look at the log of {function}; a cold start needs CPU boost.")
    if status is None:
        return Bad(
            "nobody answers at the address in Vault",
            f"Start {function}, or keep its address in Vault: {_command(name)}",
        )
    if status == 401 and _reason(answer) == "stale_signature":
        return Bad("the database's clock is over 5 minutes off", check_clocks.RESTART)
    if status == 401:
        return Bad(
            "the signature was refused (HTTP 401)",
            "Give the functions the WEBHOOK_SECRETS of this file and deploy them again.",
        )
    if status == 403:
        return Bad(
            "Google Cloud refused it (HTTP 403)",
            f"Only a public function can be woken; keep the address of one in Vault: {_command(name)}",
        )
    return Bad(f"HTTP {status}", f"Look at the log of {function}, and at its address in Vault.")


def _command(name: str) -> str:
    of_its_own = " --sweep https://…/webhook" if name == "taskbell_sweep_url" else ""
    return f"taskbell vault --env FILE --webhook https://…/webhook{of_its_own}"


def _reason(answer: dict[str, Any]) -> object:
    try:
        return json.loads(answer["content"])["error"]["reason"]
    except (KeyError, TypeError, ValueError):
        return None


def _clock(facts: Facts) -> Verdict:
    jobs = facts.database["clock"]
    schedule = "select cron.schedule('taskbell', '15 seconds', 'select taskbell.wake_if_due()');"
    if not jobs:
        return Bad(
            "pg_cron has no job taskbell",
            f"Enable pg_cron (dashboard, Integrations, Cron), then in SQL: {schedule}",
        )
    if not any(job["active"] for job in jobs):
        return Bad(
            "the job is switched off",
            "In SQL: select cron.alter_job(jobid, active := true) from cron.job where jobname = 'taskbell';",
        )
    if "second" not in jobs[0]["schedule"]:
        return Good("each minute: this pg_cron knows no seconds, so retries come up to a minute later")
    return Good("every " + jobs[0]["schedule"])


def _clock_runs(facts: Facts) -> Verdict:
    last, jobs = facts.database["last_run"] or {}, facts.database["clock"] or [{"schedule": ""}]
    seconds = last.get("seconds_ago")
    if seconds is None:
        return Skipped("pg_cron keeps no log of runs, or has not run yet: ask again in a minute")
    if last["status"] != "succeeded":
        return Bad(
            "its last run failed",
            "See why in SQL: select return_message from cron.job_run_details order by runid desc limit 5;",
        )
    if seconds > LATE_SECONDS["second" in jobs[0]["schedule"]]:
        return Bad(
            f"its last run was {seconds / 60:.0f} minutes ago",
            "Restart the project (dashboard, Project Settings, General): pg_cron's worker has stopped.",
        )
    return Good(f"ran {seconds:.0f} s ago")


def checks() -> Iterator[Check]:
    """Yield this section's checks in order."""
    migrated = ("migrations",)
    yield Check("vault_secret", SECTION, "signing secret in Vault", _secret, (*migrated, "webhook_secrets"))
    yield Check("vault_address", SECTION, "webhook's address in Vault", _address, migrated)
    yield Check("pg_net", SECTION, "pg_net", _pg_net, migrated)
    wakes = ("vault_secret", "vault_address", "pg_net", "clocks")
    yield Check("wake_up", SECTION, "wake-up", _wake_up, wakes)
    yield Check("clock", SECTION, "clock", _clock, migrated)
    yield Check("clock_runs", SECTION, "clock is alive", _clock_runs, ("clock",))
    yield Check("clock_wake_up", SECTION, "clock's wake-up", _clock_wake_up, wakes)
