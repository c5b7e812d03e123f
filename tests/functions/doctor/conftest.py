"""One stack for all stories of the doctor; whoever breaks it mends it again."""

from collections.abc import Iterator

import pytest

from taskbell_local.doctor.command import gather
from taskbell_local.doctor.facts import Facts
from tests.functions.local_page import RingingStack, ringing_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingingStack]:
    with ringing_stack(tmp_path_factory.mktemp("doctor") / "data", "--no-demo") as running:
        yield running


@pytest.fixture(scope="package")
def healthy(stack: RingingStack) -> Facts:
    """What the probes find out about a stack that is well."""
    return gather(stack.settings)
