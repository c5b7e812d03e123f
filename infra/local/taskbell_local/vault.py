"""Secrets that the database itself needs, kept where Supabase keeps them: in Vault, by name.

In: names and values. Out: Vault holds them. It touches Vault, and a temporary table that is gone at the end.

A value in a statement or bound to one can end up in the server's log (log_statement,
log_min_duration_statement; PostgreSQL: Error Reporting and Logging); what COPY streams never does.
"""

from collections.abc import Mapping

import psycopg

_NEW = """
    select k.name, vault.create_secret(k.secret, k.name)
    from pg_temp.taskbell_secrets k
    where k.name not in (select d.name from vault.decrypted_secrets d where d.name is not null)"""
_CHANGED = """
    select k.name, vault.update_secret(d.id, k.secret)
    from pg_temp.taskbell_secrets k
    join vault.decrypted_secrets d on d.name = k.name and d.decrypted_secret is distinct from k.secret"""


def keep_secrets(connection: psycopg.Connection, secrets: Mapping[str, str]) -> list[str]:
    """Create each named secret, or change it where its value is another; returns the names of those.

    Raises psycopg.Error, all or nothing.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("create temporary table taskbell_secrets (name text, secret text)")
        with cursor.copy("copy pg_temp.taskbell_secrets (name, secret) from stdin") as copy:
            for pair in secrets.items():
                copy.write_row(pair)
        done = [name for query in (_CHANGED, _NEW) for name, _ in cursor.execute(query).fetchall()]
        cursor.execute("drop table pg_temp.taskbell_secrets")
    return done
