"""What stands between a running Postgres and functions that can work.

In: the server, the functions' addresses, keys. Out: an up-to-date database. It touches that database only.
"""

from collections.abc import Mapping

import psycopg

from taskbell_local import demo_data, migrate, stand_ins, vault
from taskbell_local.errors import StackError
from taskbell_local.keys import Keys
from taskbell_local.postgres import EmbeddedPostgres


def prepare(postgres: EmbeddedPostgres, functions: Mapping[str, str], keys: Keys, *, demo: bool) -> bool:
    """Bring the database up to date: Supabase's schemas, our migrations, whom to call, the demo's rows.

    `functions` maps a target to its base URL. Without `demo` there is the demo's user alone, to sign in with.
    Returns whether the demo's rows were inserted now. Raises StackError for a database that was made with
    another password, or by other migrations.
    """
    try:
        stand_ins.install(postgres.superuser_url)
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        raise StackError(
            "wrong_password",
            f"{postgres.cluster} was made with another password than is in postgres.password: put that file"
            " back, or remove the folder to start afresh.",
        ) from error
    _check_migrations(postgres)
    migrate.migrate(postgres.url)
    with psycopg.connect(postgres.url) as connection:
        secrets = {
            "taskbell_webhook_url": f"{functions['webhook']}/webhook",
            "taskbell_sweep_url": f"{functions['sweep']}/sweep",
            "taskbell_webhook_secret": keys.webhook_secret,
        }
        vault.keep_secrets(connection, secrets)
    return demo_data.insert_demo(postgres.url, contacts=demo)


def _check_migrations(postgres: EmbeddedPostgres) -> None:
    """Refuse a database that former texts of our migrations made: what they say now, it would never get."""
    changed = migrate.changed(postgres.url)
    if changed:
        others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise StackError(
            "other_migrations",
            f"{postgres.cluster} was made by another version of this checkout ({changed[0]}{others} changed"
            " since): remove that folder to start afresh, or keep it and choose another with --data.",
        )
