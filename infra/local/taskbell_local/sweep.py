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

from taskbell_local import dead_letters
from taskbell_local.database import START_IT, connect, settings_of
from taskbell_local.errors import StackError

TIMEOUT_SECONDS = 60
MOST_SWEEPS = 100
HIDDEN = {403, 404, 405}
"""What a platform, a load balancer or a bucket says in place of a sweep that is not for everybody."""


def run(env_file: Path, again: Sequence[str] | None = None) -> None:
    """Print what the sweep did; `again` names dead letters to send first, all of them if it names none."""
    settings = settings_of(env_file)
    if again is not None:
        with connect(settings) as connection:
            events, deliveries = dead_letters.send_again(connection, again)
        print(f"taskbell: sent again: {events} events, {deliveries} deliveries")
    for _ in range(MOST_SWEEPS):
        swept = _sweep(settings)
        print("taskbell: swept:", json.dumps(swept))
        if not (swept.get("dispatched") or {}).get("more"):
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
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  # the operator's own URL
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError:
        raise
    except (OSError, ValueError) as error:
        raise StackError("not_running", f"{url} does not answer: {START_IT}.") from error


def _refused(error: urllib.error.HTTPError, url: str) -> StackError:
    return StackError("sweep_refused", f"The sweep was refused: HTTP {error.code} from {url}.")


def signature(webhook_secrets: str, body: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks v1 for a body, signed with the newest secret."""
    if not webhook_secrets.split():
        raise StackError(
            "no_webhook_secret", "The settings hold no WEBHOOK_SECRETS: make one with `taskbell keys`."
        )
    key = base64.b64decode(webhook_secrets.split()[-1].removeprefix("whsec_"))
    message_id, timestamp = f"msg_{secrets.token_hex(12)}", str(int(time.time()))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
