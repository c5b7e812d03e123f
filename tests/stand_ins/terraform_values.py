"""The values that Terraform and a provider exchange: what a provider plans, and what it has made.

In and out: values as Python has them, in MessagePack. Touches: nothing.
Source: github.com/hashicorp/terraform, docs/plugin-protocol/object-wire-format.md and
docs/resource-instance-change-lifecycle.md.
"""

from collections.abc import Callable
from typing import Any

from msgspec.msgpack import Ext, decode, encode

from tests.stand_ins.terraform_schema import Attribute, Body

NAMES = ("name", "account_id", "secret_id", "id")
UNKNOWN = Ext(0, b"\0")


def packed(value: Any) -> bytes:
    """Encode a value."""
    return encode(value)


def unpacked(value: bytes) -> Any:
    """Decode a value; what Terraform does not know yet is an `Ext`."""
    return decode(value)


def planned(body: Body, proposed: Any) -> Any:
    """Return what is proposed, as planned: what a provider will compute is unknown, no secret is kept."""

    def plan(attribute: Attribute, value: Any) -> Any:
        if attribute["write_only"]:
            return None
        return UNKNOWN if attribute["computed"] and value is None else value

    return _each(body, proposed, plan)


def made_up(body: Body, planned_state: Any) -> Any:
    """Return the state after a plan; a text that was unknown says what it is: "uri of taskbell-api"."""
    own = next((planned_state[name] for name in NAMES if isinstance(planned_state.get(name), str)), "it")

    def make(attribute: Attribute, value: Any) -> Any:
        if not isinstance(value, Ext):
            return value
        match attribute["type"]:
            case "string" if attribute["name"] == "email":
                return f"{own}@made-up.iam.gserviceaccount.com"
            case "string":
                return f"{attribute['name']} of {own}"
            case "number":
                return 0
            case "bool":
                return False
            case "map", _:
                return {}
            case _:
                return []

    return _each(body, planned_state, make)


def _each(body: Body, value: Any, change: Callable[[Attribute, Any], Any]) -> Any:
    if not isinstance(value, dict):
        return value
    changed = {each["name"]: change(each, value[each["name"]]) for each in body["attributes"]}
    for block in body["blocks"]:
        inner = value[block["name"]]
        many = isinstance(inner, list)
        changed[block["name"]] = (
            [_each(block["body"], each, change) for each in inner]
            if many
            else _each(block["body"], inner, change)
        )
    return changed
