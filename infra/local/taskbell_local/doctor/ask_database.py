"""What the database knows. In: DATABASE_URL. Out: `DatabaseFacts`; errors are values.

It reads, and queues one empty wake-up for each address in Vault, as a trigger would.
"""

import time
from typing import TYPE_CHECKING, Any

from taskbell_local.doctor.facts import DatabaseFacts
from taskbell_local.doctor.questions import QUESTIONS, WAKE_UP, WAKE_UP_ANSWER

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
PATIENCE = "set local statement_timeout = '10s'"
WAKE_UP_SECONDS = 12.0  # pg_net gives the function 5, and may have a batch before ours
POLL_SECONDS = 0.1
WAKE_UPS = {"wake_up": "taskbell_webhook_url", "clock_wake_up": "taskbell_sweep_url"}
# invalid_schema_name, undefined_table, undefined_column, undefined_function
DOES_NOT_EXIST = {"3F000", "42P01", "42703", "42883"}


def ask_database(url: str | None) -> DatabaseFacts:
    """Ask everything; never raises for the database."""
    import psycopg

    if url is None:
        return DatabaseFacts("no_database_url")
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
            # The pooler in transaction mode keeps no prepared statements.
            connection.prepare_threshold = None
            return _ask_all(connection)
    except psycopg.Error as error:
        return DatabaseFacts(_refusal(str(error)))


def _refusal(said: str) -> str:
    """Return a slug for a failed connection; libpq has no codes for it, and its words name the host."""
    for words, slug in {
        "password authentication failed": "bad_password",
        "could not translate host name": "unknown_host",
        "failed to resolve host": "unknown_host",
        "Name or service not known": "unknown_host",
        "Network is unreachable": "unreachable",
        "Tenant or user not found": "unknown_project",
    }.items():
        if words in said:
            return slug
    return "no_answer"


def _ask_all(connection: "psycopg.Connection") -> DatabaseFacts:
    import psycopg

    answers: dict[str, Any] = {}
    refused: dict[str, str] = {}

    def ask(name: str, question: str) -> None:
        try:
            with connection.transaction():
                # For this transaction alone: behind a pooler the session is not ours.
                connection.execute(PATIENCE)
                row = connection.execute(question.encode()).fetchone()
            answers[name] = row and row[0]
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise  # the connection itself
            if error.sqlstate not in DOES_NOT_EXIST:
                refused[name] = error.sqlstate

    asked_at = time.time()
    for name, question in QUESTIONS.items():
        ask(name, question)
    secrets = answers.get("secrets") or {}
    for name, secret in WAKE_UPS.items():
        if secret in secrets and "taskbell_webhook_secret" in secrets:
            try:
                answers[name] = _wake_up(connection, secret)
            except psycopg.Error as error:
                refused[name] = error.sqlstate or "08000"
    return DatabaseFacts(None, answers, refused, asked_at)


def _wake_up(connection: "psycopg.Connection", url_name: str) -> dict[str, Any]:
    """Queue a wake-up and wait for what pg_net writes down of its answer."""
    row = connection.execute(WAKE_UP.encode(), [url_name]).fetchone()
    deadline = time.monotonic() + WAKE_UP_SECONDS
    while row and time.monotonic() < deadline:
        found = connection.execute(WAKE_UP_ANSWER.encode(), [row[0]]).fetchone()
        if found:
            status, timed_out, content, error = found
            return {"status": status, "timed_out": timed_out, "content": content, "error": bool(error)}
        time.sleep(POLL_SECONDS)
    return {}
