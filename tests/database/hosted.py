"""Looking at a project as `postgres` sees it: one value, and what is refused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from tests.database.database import Connection

API_ROLES = ("anon", "authenticated", "service_role")


def value(connection: Connection, query: str, *params: object) -> object:
    """The only value of the only row."""
    [(found,)] = connection.execute(query.encode(), params or None).fetchall()
    return found


@contextlib.contextmanager
def refused(connection: Connection) -> Iterator[None]:
    """What is tried within is refused for want of a privilege, and undone."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
        yield
