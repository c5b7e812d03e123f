"""/v1/subscriptions: this browser and the user's others.

In: what `PushSubscription.toJSON()` gives, a name. Out: subscriptions, never their endpoint or keys. Touches
the database as the service, for the verified user; a test goes out to the push service.
"""

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from taskbell.api.refusal import UNKNOWN_USER, Refusal, Refused
from taskbell.api.route import Answer, Call, Route
from taskbell.api.shapes import Answered, Asked, Name, Timestamp
from taskbell.gateway import Gateway
from taskbell.model import Json, Outcome, OutcomeKind
from taskbell.push import (
    AllowedOrigins,
    EndpointRefused,
    KeysRefused,
    Vapid,
    check_endpoint,
    check_keys,
)
from taskbell.push.refusal import NoMatchingVapidKey

UNKNOWN_SUBSCRIPTION = Refusal(
    404, "unknown_subscription", "There is no such subscription, or it is not yours."
)
TOO_MANY_SUBSCRIPTIONS = Refusal(
    409, "too_many_subscriptions", "You have 20 subscriptions already; remove one you no longer use."
)
ENDPOINT_NOT_ALLOWED = Refusal(
    422, "endpoint_not_allowed", "The endpoint is not at a push service that this server sends to."
)
BAD_KEYS = Refusal(422, "bad_keys", "p256dh is no P-256 point, or auth is not 16 bytes.")
UNKNOWN_VAPID_KEY = Refusal(
    422, "unknown_vapid_key", "The subscription was made for a VAPID key that is not ours; subscribe again."
)
LONGEST_USER_AGENT_CHARACTERS = 300

RingTest = Callable[[str, str], Outcome | None]
"""Sends a test to a user's subscription (ids of both) and settles it; None if there is no such one."""

_Base64Url = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-]+={0,2}$")
]


class SubscriptionKeys(Asked):
    """The browser's keys (Push API §8.1), base64url."""

    p256dh: _Base64Url = Field(description="Uncompressed P-256 point, 65 bytes.")
    auth: _Base64Url = Field(description="Secret, 16 bytes.")


class NewSubscription(Asked):
    """One browser on one device."""

    endpoint: Annotated[str, StringConstraints(min_length=1, max_length=2_048, pattern=r"^[!-~]+$")]
    keys: SubscriptionKeys
    vapid_public_key: _Base64Url = Field(description="The applicationServerKey it was made with.")
    name: Name = Field(description="What people call it: Firefox on Linux.")


class NewName(Asked):
    """What people call it."""

    name: Name


class Subscription(Answered):
    """One browser on one device, as its owner may see it."""

    id: str
    name: str | None
    endpoint_hash: str = Field(description="SHA-256 of the endpoint in hex: the browser finds itself by it.")
    vapid_public_key: str
    created_at: Timestamp
    seen_at: Timestamp | None
    last_accepted_at: Timestamp | None = Field(description="When a push service last took a message.")
    last_shown_at: Timestamp | None = Field(description="When the browser last said that it showed one.")
    verified_at: Timestamp | None = Field(description="When it showed a test.")
    retired_at: Timestamp | None
    retired_reason: str | None


class Subscriptions(Answered):
    """All of a user's."""

    subscriptions: list[Subscription]


class TestResult(Answered):
    """What the push service said to a test."""

    outcome: OutcomeKind
    status_code: int | None
    reason: str | None


def routes(
    gateway: Gateway,
    vapid: Vapid,
    allowed: AllowedOrigins,
    ring_test: RingTest,
) -> list[Route[Any]]:
    """Return the routes of this resource."""

    def subscribe(call: Call[NewSubscription]) -> Answer:
        asked = call.body
        origin = _checked_origin(asked, allowed, vapid)
        subscription: Json = {
            "endpoint": asked.endpoint,
            "origin": origin,
            "p256dh": asked.keys.p256dh.rstrip("="),
            "auth": asked.keys.auth.rstrip("="),
            "vapid_public_key": asked.vapid_public_key.rstrip("="),
            "name": asked.name,
            "user_agent": _printable(call.headers.get("User-Agent", "")),
        }
        stored = gateway.rpc(
            "taskbell_subscribe", {"p_user_id": call.user.id, "p_subscription": subscription}
        )
        if isinstance(stored, dict) and "error" in stored:
            raise Refused(UNKNOWN_USER if stored["error"] == UNKNOWN_USER.reason else TOO_MANY_SUBSCRIPTIONS)
        return Answer(Subscription.model_validate(stored))

    def list_subscriptions(call: Call[None]) -> Answer:
        stored = gateway.rpc("taskbell_subscriptions", {"p_user_id": call.user.id})
        return Answer(Subscriptions.model_validate(stored))

    def rename_subscription(call: Call[NewName]) -> Answer:
        params = _of_user(call) | {"p_name": call.body.name}
        stored = gateway.rpc("taskbell_rename_subscription", params)
        if stored is None:
            raise Refused(UNKNOWN_SUBSCRIPTION)
        return Answer(Subscription.model_validate(stored))

    def unsubscribe(call: Call[None]) -> Answer:
        # 204 also where there was none: whoever lost the first answer asks again, and means the same.
        gateway.rpc("taskbell_unsubscribe", _of_user(call))
        return Answer(status=204)

    def send_test(call: Call[None]) -> Answer:
        outcome = ring_test(call.user.id, _subscription_id(call))
        if outcome is None:
            raise Refused(UNKNOWN_SUBSCRIPTION)
        return Answer(
            TestResult(outcome=outcome.kind, status_code=outcome.status_code, reason=outcome.reason)
        )

    one = "/v1/subscriptions/{subscription_id}"
    return [
        Route(
            method="PUT",
            path="/v1/subscriptions",
            summary="Subscribe a browser, or tell that it is still there; its endpoint becomes the caller's.",
            handler=subscribe,
            body=NewSubscription,
            answers={200: Subscription},
            refusals=(ENDPOINT_NOT_ALLOWED, BAD_KEYS, UNKNOWN_VAPID_KEY, TOO_MANY_SUBSCRIPTIONS),
            cost=2.0,
        ),
        Route(
            method="GET",
            path="/v1/subscriptions",
            summary="List this browser and the user's others.",
            handler=list_subscriptions,
            answers={200: Subscriptions},
        ),
        Route(
            method="PATCH",
            path=one,
            summary="Rename a subscription.",
            handler=rename_subscription,
            body=NewName,
            answers={200: Subscription},
            refusals=(UNKNOWN_SUBSCRIPTION,),
        ),
        Route(
            method="DELETE",
            path=one,
            summary="Remove a subscription; done, too, where there is none.",
            handler=unsubscribe,
            answers={204: None},
            refusals=(UNKNOWN_SUBSCRIPTION,),  # what is no id at all
        ),
        Route(
            method="POST",
            path=one + "/test",
            summary="Send a test notification and tell what the push service said.",
            handler=send_test,
            answers={200: TestResult},
            refusals=(UNKNOWN_SUBSCRIPTION,),
            cost=10.0,
        ),
    ]


def _checked_origin(asked: NewSubscription, allowed: AllowedOrigins, vapid: Vapid) -> str:
    """Return the push service's origin; a refusal says what is wrong and repeats nothing."""
    try:
        origin = check_endpoint(asked.endpoint, allowed)
        check_keys(asked.keys.p256dh, asked.keys.auth)
        vapid.authorization(
            origin, asked.vapid_public_key
        )  # the signer knows which keys are ours, old ones too
    except EndpointRefused as error:
        raise Refused(ENDPOINT_NOT_ALLOWED, detail=error.message) from error
    except KeysRefused as error:
        raise Refused(BAD_KEYS, detail=error.message) from error
    except NoMatchingVapidKey as error:
        raise Refused(UNKNOWN_VAPID_KEY) from error
    return origin


def _of_user(call: Call[Any]) -> dict[str, Json]:
    return {"p_user_id": call.user.id, "p_subscription_id": _subscription_id(call)}


def _subscription_id(call: Call[Any]) -> str:
    try:
        return str(uuid.UUID(call.path["subscription_id"]))
    except ValueError as error:
        raise Refused(UNKNOWN_SUBSCRIPTION) from error


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:LONGEST_USER_AGENT_CHARACTERS]
