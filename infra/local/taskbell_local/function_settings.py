"""What the functions of the embedded stack are told, by the names functions/taskbell/settings.py reads."""

import os
from collections.abc import Mapping

from taskbell_local.keys import Keys

VAPID_SUBJECT = "mailto:developer@example.org"
# Settings of another deployment in our environment must not reach these functions.
FOREIGN = ("SUPABASE_", "FUNCTION_", "DEBUG", "WORKERS", "VAPID_", "WEBHOOK_SECRETS", "SWEEP_", "CLOUD_RUN_")


def function_settings(public_url: str, database_url: str, keys: Keys, demo_token: str) -> dict[str, str]:
    """Return what the functions are told, by the names that functions/taskbell/settings.py reads."""
    return {
        "SUPABASE_URL": public_url,
        "DATABASE_URL": database_url,
        "PUBLIC_URL": public_url,
        "VAPID_PRIVATE_KEY": keys.vapid_private_key,
        "VAPID_SUBJECT": VAPID_SUBJECT,
        "WEBHOOK_SECRETS": keys.webhook_secret,
        "EXTRA_PUSH_ORIGINS": os.environ.get("EXTRA_PUSH_ORIGINS", ""),
        "DEMO_TOKEN": demo_token,
    }


def through_tunnel(settings: Mapping[str, str], tunnel_url: str) -> dict[str, str]:
    """Return the settings of those who send notifications, which open the page where a phone reaches it.

    Not for the api: it hands out the demo's token, which `settings.py` allows on loopback only.
    """
    return {**settings, "PUBLIC_URL": tunnel_url, "DEMO_TOKEN": ""}


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return our environment less the settings of other deployments."""
    return {name: value for name, value in environment.items() if not name.startswith(FOREIGN)}
