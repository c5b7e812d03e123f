"""What the functions, the page and the issuer of tokens answer. In: settings, addresses from Vault.

Out: `WebFacts`; errors are values. It sends a dozen requests at once, among them one empty wake-up for each
webhook secret.
"""

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from taskbell.errors import GatewayError
from taskbell.settings import is_loopback
from taskbell_local.doctor.facts import Answer, DatabaseFacts, NotAsked, SettingsFacts, WebFacts
from taskbell_local.sweep import signature

TIMEOUT_SECONDS = 10
LARGEST_BODY_BYTES = 512 * 1024
WAKE_UP = b'{"type":"taskbell.wakeup"}'
STRANGER = "whsec_" + "c3RyYW5nZXI" * 4
JWKS_PATH = "/auth/v1/.well-known/jwks.json"


def ask_web(settings: SettingsFacts, database: DatabaseFacts) -> WebFacts:
    """Ask everything at once; never raises for an answer."""
    requests = _requests(settings, database)
    with ThreadPoolExecutor(len(requests) + 1) as threads:
        data_api = threads.submit(_data_api, settings)
        answers = dict(zip(requests, threads.map(fetch, requests.values()), strict=True))
        return WebFacts(answers, data_api.result())


def _requests(settings: SettingsFacts, database: DatabaseFacts) -> dict[str, urllib.request.Request]:
    read, page = settings.settings, settings.settings.public_url
    try:
        kept = database["secrets"] or {}
    except NotAsked:  # the check of the secrets says it
        kept = {}
    webhook = settings.environ.get("WEBHOOK_URL") or kept.get("taskbell_webhook_url") or f"{page}/webhook"
    sweep = settings.environ.get("SWEEP_URL") or kept.get("taskbell_sweep_url")
    wanted = {
        "page": _get(f"{page}/"),
        "worker": _get(f"{page}/sw.js"),
        "manifest": _get(f"{page}/manifest.webmanifest"),
        "config": _get(f"{page}/v1/config"),
        "health": _get(f"{page}/v1/health"),
        "jwks": _get(read.supabase_url + JWKS_PATH),
        "webhook_stranger": _post(webhook, STRANGER),
    }
    for index, secret in enumerate(read.webhook_secrets):
        wanted[f"webhook_secret_{index}"] = _post(webhook, secret)
    if sweep:
        wanted["sweep_stranger"] = _post(sweep, STRANGER)
    return {name: request for name, request in wanted.items() if request is not None}


def _get(url: str) -> urllib.request.Request | None:
    return _request(url, None, {"Accept": "*/*"})


def _post(url: str, secret: str) -> urllib.request.Request | None:
    return _request(url, WAKE_UP, {"Content-Type": "application/json", **signature(secret, WAKE_UP)})


def _request(url: str, body: bytes | None, headers: Mapping[str, str]) -> urllib.request.Request | None:
    """Return a request; None where Vault holds something that is no web address: its own check says so."""
    if not url.startswith(("https://", "http://")):
        return None
    try:
        return urllib.request.Request(url, body, dict(headers))  # noqa: S310
    except ValueError:
        return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def fetch(request: urllib.request.Request) -> Answer:
    """Send a request, without following redirects; whatever happens is an answer."""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if is_loopback(urlsplit(request.full_url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return _answer(response)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error)
    except urllib.error.URLError as error:
        certificate = isinstance(error.reason, ssl.SSLCertVerificationError)
        return Answer(0, {}, "", "bad certificate" if certificate else "no answer")
    except (OSError, http.client.HTTPException, ValueError):
        return Answer(0, {}, "", "no answer")


def _answer(response: "http.client.HTTPResponse | urllib.error.HTTPError") -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = response.read(LARGEST_BODY_BYTES).decode(errors="replace")
    return Answer(int(response.status or 0), headers, body, came_at=time.time())


def _data_api(settings: SettingsFacts) -> str | None:
    """Call our health through PostgREST as a deployed function does; return None, or why it failed."""
    key = settings.settings.supabase_secret_key
    if not key or not settings.given("SUPABASE_SECRET_KEY") or "SUPABASE_URL" in settings.faults:
        return "not_asked"
    from taskbell.gateway.supabase import SupabaseGateway

    gateway = SupabaseGateway(settings.settings.supabase_url, key)
    try:
        gateway.rpc("taskbell_health", {})
    except GatewayError as error:
        return error.sqlstate or error.reason
    finally:
        gateway.close()
    return None
