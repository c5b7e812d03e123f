"""What stands between a running Postgres and functions that can work.

In: the server, the functions' addresses, keys. Out: an up-to-date database, and the functions' settings.
It touches that database only.
"""

import os
from collections.abc import Mapping

import psycopg

from taskbell_local import demo_data, migrate, stand_ins, vault
from taskbell_local.keys import Keys
from taskbell_local.postgres import EmbeddedPostgres

VAPID_SUBJECT = "mailto:developer@example.org"
# Settings of another deployment in our environment must not reach these functions.
FOREIGN = ("SUPABASE_", "FUNCTION_", "DEBUG", "WORKERS", "VAPID_", "WEBHOOK_SECRETS", "CLOUD_RUN_")


def prepare(postgres: EmbeddedPostgres, functions: Mapping[str, str], keys: Keys, *, demo: bool) -> None:
    """Bring the database up to date: Supabase's schemas, our migrations, whom to call, the demo's rows.

    `functions` maps a target to its base URL. Without `demo` there is the demo's user alone, to sign in with.
    """
    stand_ins.install(postgres.superuser_url)
    migrate.migrate(postgres.url)
    with psycopg.connect(postgres.url) as connection:
        secrets = {
            "taskbell_webhook_url": f"{functions['webhook']}/webhook",
            "taskbell_sweep_url": f"{functions['sweep']}/sweep",
            "taskbell_webhook_secret": keys.webhook_secret,
        }
        vault.keep_secrets(connection, secrets)
    demo_data.insert_demo(postgres.url, contacts=demo)


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


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return our environment less the settings of other deployments."""
    return {name: value for name, value in environment.items() if not name.startswith(FOREIGN)}
