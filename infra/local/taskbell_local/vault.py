"""Secrets that the database itself needs, kept where Supabase keeps them: in Vault, by name."""

from collections.abc import Mapping

import psycopg


def keep_secrets(connection: psycopg.Connection, secrets: Mapping[str, str]) -> None:
    """Create each named secret, or change it where its value is another."""
    for name, value in secrets.items():
        found = connection.execute(
            "select id, decrypted_secret from vault.decrypted_secrets where name = %s", [name]
        ).fetchone()
        if found is None:
            connection.execute("select vault.create_secret(%s, %s)", [value, name])
        elif found[1] != value:
            connection.execute("select vault.update_secret(%s, %s)", [found[0], value])
