"""`taskbell sweep`: asks the function `sweep` to deliver what is due, signed like the database's own clock.

In: settings; the names of dead letters that are to be sent again. Out: the function's counts. It makes HTTP
requests to PUBLIC_URL/sweep (or SWEEP_URL) until nothing is due, or to the webhook where the sweep is hidden;
only for dead letters it asks the database.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from taskbell.settings import is_loopback
from taskbell_local import dead_letters
from taskbell_local.counts import counted, in_words
from taskbell_local.database import START_IT, connect, settings_of
from taskbell_local.errors import StackError

TIMEOUT_SECONDS = 60
MOST_SWEEPS = 100
UNAUTHORIZED = 401
HIDDEN = {403, 404, 405}
"""What a platform, a load balancer or a bucket says in place of a sweep that is not for everybody."""


def run(env_file: Path, again: Sequence[str] | None = None) -> None:
    """Print what the sweep did; `again` names dead letters to send first, all of them if it names none."""
    settings = settings_of(env_file)
    if again is not None:
        with connect(settings) as connection:
            events, deliveries = dead_letters.send_again(connection, again)
        due = [(events, "event", "events"), (deliveries, "delivery", "deliveries")]
        told = " and ".join(counted(*one) for one in due if one[0])
        print(f"due again: {told or 'nothing; `taskbell status` lists what is dead'}")
    for _ in range(MOST_SWEEPS):
        dispatched = _sweep(settings).get("dispatched")
        if dispatched is None:
            print("swept: the function is still at it; `taskbell status` tells what waits")
            break
        print(f"swept: {in_words(dispatched) or 'nothing was due'}")
        if not dispatched.get("more"):
            break


def _sweep(settings: Mapping[str, str]) -> dict[str, Any]:
    page = settings.get("PUBLIC_URL", "")
    sweep = settings.get("SWEEP_URL") or f"{page}/sweep"
    try:
        return _wake(sweep, settings)
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in HIDDEN:
                raise _refused(error, sweep) from error
    # Where the sweep is for a scheduler alone, a wake-up of the webhook does the same.
    webhook = settings.get("WEBHOOK_URL") or f"{page}/webhook"
    try:
        return _wake(webhook, settings)
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error, webhook) from error


def _wake(url: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """Post a signed wake-up; raises HTTPError, and StackError where nobody answers."""
    body = b'{"type":"taskbell.wakeup"}'
    headers = {"Content-Type": "application/json", **signature(settings.get("WEBHOOK_SECRETS", ""), body)}
    if not url.startswith(("https://", "http://")):
        raise StackError("no_address", "The settings hold no PUBLIC_URL: set it to the page's address.")
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  # the operator's own URL
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError:
        raise
    except (OSError, ValueError) as error:
        here = is_loopback(urlsplit(url).hostname or "")
        remedy = START_IT if here else "check PUBLIC_URL, and that the functions are deployed"
        raise StackError("not_running", f"{url} does not answer: {remedy}.") from error


def _refused(error: urllib.error.HTTPError, url: str) -> StackError:
    hint = "WEBHOOK_SECRETS here and there differ" if error.code == UNAUTHORIZED else "look at its log"
    return StackError("sweep_refused", f"{url} refused the sweep with {error.code}: {hint}.")


def signature(webhook_secrets: str, body: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks v1 for a body, signed with the newest secret."""
    if not webhook_secrets.split():
        raise StackError(
            "no_webhook_secret", "The settings hold no WEBHOOK_SECRETS: make one with `taskbell keys`."
        )
    try:
        key = base64.b64decode(webhook_secrets.split()[-1].removeprefix("whsec_"))
    except ValueError as error:
        raise StackError(
            "bad_webhook_secret",
            "The newest of WEBHOOK_SECRETS is no whsec_…: make one with `taskbell keys`.",
        ) from error
    message_id, timestamp = f"msg_{secrets.token_hex(12)}", str(int(time.time()))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
