"""What the database's stories may ask for."""

from __future__ import annotations

import pytest

from tests.database.database import Database
from tests.database.story import Story


@pytest.fixture
def story(database: Database) -> Story:
    """An owner with a contact and an agent, in a database of their own."""
    return Story(database)
