"""A route as a value: what serves a path and what the OpenAPI document says about it, in one place.

In: handlers of the resources. Out: `Route`, which serve.py registers and openapi.py describes.
Touches nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from pydantic import BaseModel
from werkzeug.datastructures import Headers

from taskbell.api.refusal import (
    BAD_BODY,
    BAD_JSON,
    BAD_PATH,
    BAD_REQUEST,
    BAD_TOKEN,
    BODY_TOO_LARGE,
    DATABASE_UNAVAILABLE,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    KEYS_UNAVAILABLE,
    NO_TOKEN,
    TOO_MANY_REQUESTS,
    UNKNOWN_USER,
    Refusal,
)
from taskbell.api.shapes import Answered, Asked
from taskbell.model import User

BodyT = TypeVar("BodyT", bound=Asked | None)


class Access(Enum):
    """Who may call a route, and whose bucket it draws from."""

    PUBLIC = "public"  # anyone, uncounted
    ADDRESS = "address"  # whoever holds a token that stands in the body; counted by address
    USER = "user"  # a Supabase user; counted by user


@dataclass(frozen=True)
class Call(Generic[BodyT]):
    """One request, as a handler sees it: verified, counted and parsed."""

    body: BodyT
    path: Mapping[str, str]
    headers: Headers
    verified_user: User | None = None

    @property
    def user(self) -> User:
        """The caller; only routes with Access.USER have one."""
        if self.verified_user is None:
            raise TypeError("a public route has no user")
        return self.verified_user


@dataclass(frozen=True)
class Answer:
    """What a handler says: a documented status, its body, and headers of its own."""

    body: Answered | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A request header that means something to a route."""

    name: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Route(Generic[BodyT]):
    """One method of one path; `{name}` in the path is an id."""

    method: str
    path: str
    summary: str
    handler: Callable[[Call[BodyT]], Answer]
    answers: Mapping[int, type[Answered] | None]
    access: Access = Access.USER
    body: type[BaseModel] | None = None
    refusals: tuple[Refusal, ...] = ()
    headers: tuple[Parameter, ...] = ()
    cost: float = 1.0
    cache_control: str = "no-store"

    @property
    def all_refusals(self) -> tuple[Refusal, ...]:
        """Everything this route can refuse with, its own first."""
        every = list(self.refusals)
        if self.body is not None:
            every += [BAD_JSON, BAD_BODY]
        if "{" in self.path:
            every.append(BAD_PATH)
        if self.access is Access.USER:
            every += [NO_TOKEN, BAD_TOKEN, EXPIRED_TOKEN, UNKNOWN_USER, KEYS_UNAVAILABLE]
        if self.access is not Access.PUBLIC:
            every += [TOO_MANY_REQUESTS, DATABASE_UNAVAILABLE]
        return (*every, BAD_REQUEST, BODY_TOO_LARGE, INTERNAL_ERROR)
