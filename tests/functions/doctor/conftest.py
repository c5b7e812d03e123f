"""One stack for all stories of the doctor; whoever breaks it mends it again."""

from collections.abc import Iterator

import pytest

from taskbell_local.doctor.command import gather
from taskbell_local.doctor.facts import Facts
from tests.functions.local_stack import LocalStack
from tests.stand_ins.push_service import PushService


@pytest.fixture(scope="package")
def push_service() -> Iterator[PushService]:
    with PushService(tls=False) as service:
        yield service


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, push_service: PushService) -> Iterator[LocalStack]:
    data = tmp_path_factory.mktemp("doctor") / "data"
    environment = {"EXTRA_PUSH_ORIGINS": push_service.origin}
    with LocalStack(data, "--no-demo", environment=environment) as running:
        yield running


@pytest.fixture(scope="package")
def healthy(stack: LocalStack) -> Facts:
    """What the probes find out about a stack that is well."""
    return gather(stack.settings)
