"""Health is told under two names, with the time, so that a clock that is off can be found."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.functions.api.stage import Stage


@pytest.mark.parametrize("path", ["/v1/health", "/healthz"])
def test_health_tells_the_time_under_both_its_names(stage: Stage, path: str) -> None:
    began = datetime.now(UTC)
    answer = stage.browser().get(path)
    assert (200, True) == (answer.status_code, answer.json()["ok"])
    told = datetime.fromisoformat(answer.json()["now"])
    assert began - timedelta(seconds=1) <= told <= datetime.now(UTC) + timedelta(seconds=1)
