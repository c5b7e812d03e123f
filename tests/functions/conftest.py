"""What stories about the functions may ask for: a bell, complete, with nobody subscribed yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taskbell.app import Application
from tests.database.database import Database
from tests.functions.bell import Bell, settings_for
from tests.stand_ins.push_service import PushService


@pytest.fixture
def bell(database: Database) -> Iterator[Bell]:
    """Give an owner with a contact and an agent, a push service of their own, and the functions."""
    with PushService() as service:
        settings = settings_for(database.url, service.origin)
        application = Application(settings, push_ca_file=service.ca_file)
        try:
            yield Bell(database, push_service=service, application=application)
        finally:
            application.close()
