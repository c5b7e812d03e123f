"""A Terraform provider's schema: its shape, and its encoding for Terraform.

In: a schema. Out: the answer to GetProviderSchema. Touches: nothing.
Source: github.com/hashicorp/terraform, docs/plugin-protocol/tfplugin6.8.proto.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal, TypedDict

from tests.stand_ins import protobuf

Nesting = Literal["single", "list", "set"]
NESTING_MODES: dict[Nesting, int] = {"single": 1, "list": 2, "set": 3}


class Attribute(TypedDict):
    """What is given or told as `name = value`; types are as in the protocol: "string", ["list", …]."""

    name: str
    type: Any
    required: bool
    optional: bool
    computed: bool
    write_only: bool


class Block(TypedDict):
    """What is given in braces; `most` is 0 where there is no limit."""

    name: str
    nesting: Nesting
    least: int
    most: int
    body: "Body"


class Body(TypedDict):
    """What stands in a block, in a resource, or in the provider's configuration."""

    attributes: list[Attribute]
    blocks: list[Block]


class Schema(TypedDict):
    """What a provider has, and its version."""

    version: str
    provider: Body
    resources: dict[str, Body]
    data_sources: dict[str, Body]


def encode(schema: Schema) -> bytes:
    """Return the message GetProviderSchema.Response."""
    return b"".join(
        [
            protobuf.text(1, _schema(schema["provider"])),
            *_named(2, schema["resources"]),
            *_named(3, schema["data_sources"]),
        ]
    )


def _named(field: int, bodies: dict[str, Body]) -> Iterator[bytes]:
    for name, body in bodies.items():
        yield protobuf.text(field, protobuf.text(1, name) + protobuf.text(2, _schema(body)))


def _schema(body: Body) -> bytes:
    return protobuf.text(2, _body(body))


def _body(body: Body) -> bytes:
    attributes = [protobuf.text(2, _attribute(each)) for each in body["attributes"]]
    blocks = [protobuf.text(3, _block(each)) for each in body["blocks"]]
    return b"".join([*attributes, *blocks])


def _attribute(attribute: Attribute) -> bytes:
    flags = {4: "required", 5: "optional", 6: "computed", 11: "write_only"}
    return b"".join(
        [
            protobuf.text(1, attribute["name"]),
            protobuf.text(2, json.dumps(attribute["type"])),
            *(protobuf.number(field, attribute[flag]) for field, flag in flags.items()),  # type: ignore[literal-required]
        ]
    )


def _block(block: Block) -> bytes:
    return b"".join(
        [
            protobuf.text(1, block["name"]),
            protobuf.text(2, _body(block["body"])),
            protobuf.number(3, NESTING_MODES[block["nesting"]]),
            protobuf.number(4, block["least"]),
            protobuf.number(5, block["most"]),
        ]
    )
