"""What stands between a running Postgres and functions that can work.

In: the server, the functions' addresses, keys. Out: an up-to-date database. It touches that database only.
"""

from collections.abc import Mapping

import psycopg

from taskbell_local import demo_data, migrate, stand_ins, vault
from taskbell_local.keys import Keys
from taskbell_local.postgres import EmbeddedPostgres


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
