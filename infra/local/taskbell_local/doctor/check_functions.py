"""Do the functions answer whom they should, and refuse everybody else? Pure."""

import json
from collections.abc import Iterator
from typing import Any

from taskbell.api.jwks import parse_key_set
from taskbell.errors import TaskbellError
from taskbell.push import Vapid
from taskbell_local.doctor.facts import Answer, Facts
from taskbell_local.doctor.verdict import Bad, Check, Good, Skipped, Verdict

SECTION = "Functions"
ROUTE = "Route /v1/* of the page's host to the function api (infra/gcp does), and look at the function's log."
DEPLOY = "Give the functions the settings of this file and deploy them again."
DATA_API = "SUPABASE_SECRET_KEY does not open the project: copy it again, Project Settings → API keys."


def _parsed(answer: Answer) -> dict[str, Any]:
    try:
        parsed = json.loads(answer.body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _reachable(facts: Facts) -> Verdict:
    config, health = facts.web["config"], _parsed(facts.web["health"])
    if config.status != 200 or "vapid_public_key" not in _parsed(config):
        return Bad(f"/v1/config: {config.told}", ROUTE)
    if "ok" not in health:
        return Bad(f"/v1/health: {facts.web['health'].told}", ROUTE)
    if health["ok"] is not True:
        return Bad(
            "the functions do not reach the database",
            "Check SUPABASE_SECRET_KEY (or DATABASE_URL) of the deployed functions, and deploy them again.",
        )
    return Good("/v1/health: database and keys are there")


def _same_key(facts: Facts) -> Verdict:
    try:
        ours = Vapid(facts.settings.settings.vapid_private_keys, "").public_key
    except TaskbellError as error:
        return Bad("a key cannot be read", f"Make one with `taskbell keys`: {error}.")
    if _parsed(facts.web["config"])["vapid_public_key"] == ours:
        return Good("the functions have the newest VAPID key of this file")
    return Bad("the deployed functions have another VAPID key than this file", DEPLOY)


def _data_api(facts: Facts) -> Verdict:
    refusal = facts.web.data_api
    if refusal == "not_asked":
        return Skipped("the functions reach the database by DATABASE_URL")
    if refusal is None:
        return Good("answers to the secret key")
    if refusal == "PGRST202":
        return Bad(
            "PostgREST does not know our functions",
            "Expose public (Project Settings, Data API), then in SQL: notify pgrst, 'reload schema';",
        )
    return Bad(f"refused ({refusal})", DATA_API)


def _key_set(facts: Facts) -> Verdict:
    answer = facts.web["jwks"]
    if answer.status != 200:
        return Bad(f"{answer.told}", "Check SUPABASE_URL; a paused project is restored in the dashboard.")
    try:
        keys = parse_key_set(answer.body.encode())
    except ValueError:
        return Bad(
            "no key set at this address", "Check SUPABASE_URL: it is the project's URL, without a path."
        )
    if not keys:
        return Bad(
            "no ES256 or RS256 key: the project still signs with a shared secret (HS256)",
            "Supabase dashboard, Project Settings, JWT Keys: migrate, then rotate to an ECC (P-256) key.",
        )
    names = sorted({key.algorithm_name for key in keys.values()})
    return Good(f"{len(keys)} in use, {' and '.join(names)}")


def _refuses_strangers(facts: Facts) -> Verdict:
    return _refused(facts.web["webhook_stranger"], "webhook", {401})


def _sweep_refuses(facts: Facts) -> Verdict:
    if "sweep_stranger" not in facts.web:
        return Skipped("no address: set SWEEP_URL to have it checked")
    # 403 is Cloud Run's IAM, 404 its answer to those who may not even know.
    return _refused(facts.web["sweep_stranger"], "sweep", {401, 403, 404})


def _refused(answer: Answer, function: str, good: set[int]) -> Verdict:
    if answer.status in good:
        return Good(f"a wrong signature is refused with {answer.status}")
    if answer.status == 200:
        return Bad(
            "a wrong signature was accepted",
            f"What answers is not our function {function}: deploy it, and check its address.",
        )
    return Bad(
        f"{answer.told} to a wrong signature, not 401",
        f"Check the address of the function {function}, that it is deployed, and its log.",
    )


def _accepts(facts: Facts) -> Verdict:
    secrets = facts.settings.settings.webhook_secrets
    answers = [facts.web[f"webhook_secret_{index}"] for index in range(len(secrets))]
    refused = [answer for answer in answers if answer.status == 401]
    if refused:
        return Bad(
            f"{len(refused)} of {len(secrets)} WEBHOOK_SECRETS are refused with 401",
            "Give the functions the WEBHOOK_SECRETS of this file and deploy them again.",
        )
    for answer in answers:
        if answer.status != 200:
            return Bad(f"{answer.told} to a right signature", "Look at the log of the function webhook.")
    return Good("an empty wake-up is answered with 200")


def checks() -> Iterator[Check]:
    """Yield this section's checks in order."""
    yield Check("api", SECTION, "api", _reachable, ("public_url",))
    yield Check("api_key", SECTION, "api's VAPID key", _same_key, ("api", "vapid_private_key"))
    yield Check("data_api", SECTION, "Data API", _data_api, ("supabase_url", "supabase_secret_key"))
    yield Check("key_set", SECTION, "key set", _key_set, ("supabase_url",))
    yield Check(
        "webhook_refuses", SECTION, "webhook refuses strangers", _refuses_strangers, ("webhook_secrets",)
    )
    accepts = ("webhook_refuses", "clocks")
    yield Check("webhook_accepts", SECTION, "webhook accepts us", _accepts, accepts)
    yield Check("sweep_refuses", SECTION, "sweep refuses strangers", _sweep_refuses, ("webhook_secrets",))
