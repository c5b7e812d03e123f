"""`taskbell vault`: tells the database whom to wake, and how to sign.

In: settings, and the functions' addresses. Out: Vault holds what the triggers need. It touches Vault only,
and leaves no secret in a log.
"""

from pathlib import Path
from urllib.parse import urlsplit

from taskbell_local.database import connect, settings_of
from taskbell_local.errors import StackError

SHORTEST_SECRET = len("whsec_") + 32  # 24 bytes: Standard Webhooks' least


def run(env_file: Path, webhook_url: str, sweep_url: str | None = None) -> None:
    """Keep the addresses and the newest of WEBHOOK_SECRETS in Vault; again, it changes what is another."""
    import psycopg

    from taskbell_local.vault import keep_secrets

    settings = settings_of(env_file)
    wanted = {
        "taskbell_webhook_url": _address(webhook_url),
        "taskbell_webhook_secret": _newest_secret(settings),
        **({} if sweep_url is None else {"taskbell_sweep_url": _address(sweep_url)}),
    }
    with connect(settings) as connection:
        try:
            done = keep_secrets(connection, wanted)
        except psycopg.Error as error:
            # Only the code: the message could repeat a value.
            raise StackError(
                "vault_refused", f"Vault did not take the secrets ({error.sqlstate or 'no answer'})."
            ) from None
    for name in wanted:
        print(f"{name}: {'kept' if name in done else 'was there already'}")


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "…" in url:
        raise StackError("bad_address", f"{url} is no address of a function: copy it from the deployment.")
    return url


def _newest_secret(settings: dict[str, str]) -> str:
    secrets = settings.get("WEBHOOK_SECRETS", "").split()
    if not secrets or not secrets[-1].startswith("whsec_") or len(secrets[-1]) < SHORTEST_SECRET:
        raise StackError(
            "no_webhook_secret", "The settings hold no WEBHOOK_SECRETS: make one with `taskbell keys`."
        )
    return secrets[-1]
