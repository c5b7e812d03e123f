"""What the probes found out. Plain values: an error is one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from taskbell.model import Outcome
from taskbell.settings import Settings


class NotAsked(Exception):  # noqa: N818  a fact that is not known, not a failure of ours
    """A question that the database refused; `sqlstate` says how, None that something asked for is gone."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@dataclass(frozen=True)
class SettingsFacts:
    """`faults` maps a variable to the sentence that mends it; where it has one, `settings` holds a filler."""

    settings: Settings
    faults: Mapping[str, str]
    environ: Mapping[str, str]

    def given(self, name: str) -> bool:
        """Tell whether a variable is set and has no fault."""
        return bool(self.environ.get(name, "").strip()) and name not in self.faults


@dataclass(frozen=True)
class DatabaseFacts:
    """Answers by name of the question; `refusal` is why there is no connection (a slug), None if there is.

    None stands for what does not exist. `refused` maps a question to the SQLSTATE it was refused with.
    `asked_at` is Unix time, by this machine's clock.
    """

    refusal: str | None
    answers: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    asked_at: float = 0.0

    def __getitem__(self, question: str) -> Any:
        """Return an answer; raises NotAsked."""
        if question in self.refused:
            raise NotAsked(self.refused[question])
        return self.answers.get(question)

    def need(self, question: str) -> Any:
        """Return an answer about what a migrated database has; raises NotAsked."""
        found = self[question]
        if found is None:
            raise NotAsked(None)
        return found


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, its headers' names in lower case; where there was none, `error` says why.

    `came_at` is Unix time, by this machine's clock.
    """

    status: int
    headers: Mapping[str, str]
    body: str
    error: str | None = None
    came_at: float = 0.0

    @property
    def told(self) -> str:
        """What to call it in a sentence."""
        return self.error or f"HTTP {self.status}"


@dataclass(frozen=True)
class WebFacts:
    """HTTP answers by the name of the request; one that was never sent is not there.

    `data_api` is None where the database answered through PostgREST, else the reason (a slug).
    """

    answers: Mapping[str, Answer]
    data_api: str | None = None

    def __getitem__(self, request: str) -> Answer:
        """Return an answer."""
        return self.answers.get(request, Answer(0, {}, "", "not asked"))

    def __contains__(self, request: str) -> bool:
        """Tell whether a request was sent."""
        return request in self.answers


@dataclass(frozen=True)
class PushFacts:
    """The test push: `outcome` is None where no browser is subscribed; `to` is the browser's name."""

    asked: bool
    outcome: Outcome | None = None
    to: str = ""
    error: str | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that checks look at. `migrations` are the versions in this checkout, None without one."""

    settings: SettingsFacts
    database: DatabaseFacts
    web: WebFacts
    push: PushFacts
    migrations: tuple[str, ...] | None
