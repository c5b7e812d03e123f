"""The only reader of the environment.

In: a mapping of environment variables. Out: checked `Settings`, or a `SettingsError` whose one sentence says
what is missing or malformed and how to get it. Touches nothing else, and never prints a value.
"""

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import SplitResult, urlsplit

from taskbell.errors import SettingsError

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the curve P-256 (FIPS 186-4 D.1.2.3): a private key is a number from 1 to one below."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_DATABASE_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^:@/?#,\[\]]*)(?::[0-9]+)?"
# A libpq URL (PostgreSQL: 34.1.1.2): user and password, hosts, then whatever libpq reads there.
_DATABASE = re.compile(
    rf"postgres(?:ql)?://(?:[^@/?#]*@)?{_DATABASE_HOST}(?:,{_DATABASE_HOST})*(?:[/?][^#]*)?"
)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MAIL = re.compile(r"[^\s@:<>]+@([^\s@:<>]+\.[^\s@:<>]+)")

FEWEST_THREADS = "4"
"""What the Functions Framework takes on one core where nothing is said."""


@dataclass(frozen=True, repr=False)
class Settings:
    """What a deployment is told.

    `vapid_private_keys` and `webhook_secrets` list the newest last. `public_url` has no trailing slash.
    `supabase_url` is where users' tokens come from; the database is reached through it too, with
    `supabase_secret_key`, unless `database_url` is set. `demo_token` is there only where `public_url` is on
    loopback. `held_requests` is how many requests may wait for news at once, each in a thread of the server.
    `sweep_caller` is the e-mail address of the service account whose tokens the sweep believes.
    """

    supabase_url: str
    supabase_secret_key: str | None
    supabase_publishable_key: str | None
    database_url: str | None
    vapid_private_keys: tuple[str, ...]
    vapid_subject: str
    webhook_secrets: tuple[str, ...]
    public_url: str
    extra_push_origins: tuple[str, ...] = ()
    demo_token: str | None = None
    held_requests: int = 3
    sweep_caller: str | None = None

    def __repr__(self) -> str:
        """Tell which settings are there, and no value."""
        there = ", ".join(f.name for f in fields(self) if getattr(self, f.name))
        return f"Settings({there})"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings in `environ`; raises SettingsError, a sentence on how to mend the first bad one."""
    supabase_url = _supabase_url(environ)
    database_url = _database_url(environ)
    secret_key = _secret_key(environ)
    if database_url is None and secret_key is None:
        raise SettingsError(
            "SUPABASE_SECRET_KEY is missing: copy it from the Supabase dashboard, Project Settings → "
            "API keys → Secret keys, or set DATABASE_URL to reach Postgres directly."
        )
    public_url = _public_url(environ)
    return Settings(
        supabase_url=supabase_url,
        supabase_secret_key=secret_key,
        supabase_publishable_key=_publishable_key(environ),
        database_url=database_url,
        vapid_private_keys=_vapid_private_keys(environ),
        vapid_subject=_vapid_subject(environ),
        webhook_secrets=_webhook_secrets(environ),
        public_url=public_url,
        extra_push_origins=_extra_push_origins(environ),
        demo_token=_demo_token(environ, public_url),
        held_requests=_held_requests(environ),
        sweep_caller=_sweep_caller(environ),
    )


def is_loopback(host: str) -> bool:
    """Return whether `host`, a name or an address without brackets, can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _get(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name, "").strip() or None


def _need(environ: Mapping[str, str], name: str, how: str) -> str:
    value = _get(environ, name)
    if value is None:
        raise SettingsError(f"{name} is missing: {how}.")
    return value


def _split(url: str) -> SplitResult | None:
    """Return `url` in parts if it has a scheme and a host and neither credentials, query nor fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port  # raises for a port that is no number below 65536
    except ValueError:
        return None
    plain = port != 0 and "@" not in parts.netloc and not (parts.query or parts.fragment or "\\" in url)
    return parts if plain and parts.hostname and not re.search(r"\s", url) else None


def _web(url: str) -> SplitResult | None:
    """Return `url` in parts if it is https, or http on loopback."""
    parts = _split(url)
    if parts is None or parts.hostname is None:
        return None
    fits = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    return parts if fits else None


def _supabase_url(environ: Mapping[str, str]) -> str:
    where = "copy the Project URL from the Supabase dashboard, Project Settings → Data API"
    value = _need(environ, "SUPABASE_URL", where)
    if _web(value) is None:
        raise SettingsError(f"SUPABASE_URL is no https address such as https://….supabase.co: {where}.")
    return value.rstrip("/")


def _secret_key(environ: Mapping[str, str]) -> str | None:
    value = _get(environ, "SUPABASE_SECRET_KEY")
    if value is None or value.startswith("sb_secret_") or _legacy_role(value) == "service_role":
        return value
    raise SettingsError(
        "SUPABASE_SECRET_KEY is not a secret key (sb_secret_…): copy it from the Supabase dashboard, "
        "Project Settings → API keys → Secret keys."
    )


def _publishable_key(environ: Mapping[str, str]) -> str | None:
    """Return the key that every page is told; a secret one in its place would be published."""
    value = _get(environ, "SUPABASE_PUBLISHABLE_KEY")
    if value is None or not (value.startswith("sb_secret_") or _legacy_role(value) == "service_role"):
        return value
    raise SettingsError(
        "SUPABASE_PUBLISHABLE_KEY holds a secret key, which every page would be told: copy the publishable "
        "one (sb_publishable_…) from the Supabase dashboard, Project Settings → API keys."
    )


def _legacy_role(key: str) -> object:
    """Return the role in a legacy key, which is a JWT; unverified: it is our own key, checked for mix-ups."""
    try:
        claims = json.loads(_base64url(key.split(".")[1]))
    except (IndexError, ValueError):
        return None
    return claims.get("role") if isinstance(claims, dict) else None


def _database_url(environ: Mapping[str, str]) -> str | None:
    value = _get(environ, "DATABASE_URL")
    if value is not None and not value.startswith(("postgresql://", "postgres://")):
        raise SettingsError(
            "DATABASE_URL does not begin with postgresql://: copy it from the Supabase dashboard, Connect."
        )
    if value is not None and (_BAD_PERCENT.search(value) or not _DATABASE.fullmatch(value)):
        # libpq would quote the password in its complaint.
        raise SettingsError(
            "DATABASE_URL cannot be read: in its password, write % as %25, @ as %40, / as %2F, : as %3A, "
            "? as %3F and # as %23."
        )
    return value


def _vapid_private_keys(environ: Mapping[str, str]) -> tuple[str, ...]:
    keys = _need(environ, "VAPID_PRIVATE_KEY", "make one with `taskbell keys`").split()
    for key in keys:
        try:
            good = _is_p256_private_key(_base64url(key))
        except ValueError:
            good = False
        if not good:
            raise SettingsError(
                "VAPID_PRIVATE_KEY holds something that is no P-256 private key in base64url: "
                "make one with `taskbell keys`."
            )
    return tuple(keys)


def _is_p256_private_key(key: bytes) -> bool:
    if len(key) == 32:
        return 0 < int.from_bytes(key, "big") < P256_ORDER
    # Imported only for the longer form: the usual one needs no cryptography to be checked.
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        loaded = load_der_private_key(key, password=None)
    except Exception:  # it has several kinds of complaint, and all mean no
        return False
    return isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.name == "secp256r1"


def _base64url(text: str) -> bytes:
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _vapid_subject(environ: Mapping[str, str]) -> str:
    """Return the contact for push services (RFC 8292 §2.1); Apple refuses localhost."""
    value = _need(environ, "VAPID_SUBJECT", "set it to mailto: and an address that reaches you")
    if value.startswith("mailto:"):
        mail = _MAIL.fullmatch(value.removeprefix("mailto:"))
        host = mail and mail[1]
    else:
        parts = _split(value)
        host = parts.hostname if parts and parts.scheme == "https" else None
    if not host or is_loopback(host.lower()) or "." not in host:
        raise SettingsError(
            "VAPID_SUBJECT is neither mailto: with an address nor an https: page outside localhost: "
            "set it to mailto: and an address that reaches you."
        )
    return value


def _webhook_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets as they are written: `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks)."""
    secrets = _need(environ, "WEBHOOK_SECRETS", "make one with `taskbell keys`").split()
    for secret in secrets:
        try:
            length = len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
        except (ValueError, binascii.Error):
            length = 0
        if not secret.startswith("whsec_") or not 24 <= length <= 64:
            raise SettingsError(
                "WEBHOOK_SECRETS holds something that is not whsec_ and the base64 of 24 to 64 bytes: "
                "make one with `taskbell keys`."
            )
    return tuple(secrets)


def _public_url(environ: Mapping[str, str]) -> str:
    value = _need(environ, "PUBLIC_URL", "set it to the https address at which people open the page")
    if _web(value) is None:
        raise SettingsError(
            "PUBLIC_URL is no https address (http is for localhost only): "
            "set it to the https address at which people open the page."
        )
    return value.rstrip("/")


def _extra_push_origins(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return exact origins as browsers write them: lower case, no default port, no path."""
    origins = []
    for value in (_get(environ, "EXTRA_PUSH_ORIGINS") or "").split():
        parts = _web(value)
        if parts is None or parts.hostname is None or parts.path not in ("", "/") or ":" in parts.hostname:
            raise SettingsError(
                "EXTRA_PUSH_ORIGINS holds something that is no origin such as https://push.example.org "
                "(http is for localhost only): list exact origins, with spaces between them."
            )
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = "" if parts.port in (None, usual) else f":{parts.port}"
        origins.append(f"{parts.scheme}://{parts.hostname}{port}")
    return tuple(origins)


def _demo_token(environ: Mapping[str, str], public_url: str) -> str | None:
    value = _get(environ, "DEMO_TOKEN")
    if value is not None and not is_loopback(urlsplit(public_url).hostname or ""):
        raise SettingsError("DEMO_TOKEN is for localhost only: remove it where PUBLIC_URL is public.")
    return value


def _held_requests(environ: Mapping[str, str]) -> int:
    """Return three quarters of the server's threads (THREADS is the Functions Framework's own setting)."""
    threads = _get(environ, "THREADS") or ""
    threads = threads if threads.isascii() and threads.isdigit() else FEWEST_THREADS
    return max(1, int(threads) * 3 // 4)


def _sweep_caller(environ: Mapping[str, str]) -> str | None:
    value = _get(environ, "SWEEP_CALLER")
    if value is not None and not _MAIL.fullmatch(value):
        raise SettingsError(
            "SWEEP_CALLER is no e-mail address: set it to the service account that Cloud Scheduler calls "
            "the sweep as (infra/gcp does), or leave it out."
        )
    return value
