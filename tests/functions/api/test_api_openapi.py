"""The OpenAPI document: complete, consistent in itself, and open to everyone.

That answers are what it says, every story sees for itself (`stage.Documented`).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functions.api.stage import Stage

METHODS = {"GET", "PUT", "POST", "PATCH", "DELETE"}


@pytest.fixture(scope="module")
def document(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.browser().get("/v1/openapi.json").json()
    return found


def everything(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object in the document."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(child)


def test_it_lists_exactly_what_is_served(stage: Stage, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in stage.app.url_map.iter_rules()
        for method in (rule.methods or set()) & METHODS
    }
    listed = {
        (path, method.upper()) for path, operations in document["paths"].items() for method in operations
    }
    assert served == listed
    assert ("/v1/openapi.json", "GET") in listed


def test_every_reference_leads_somewhere_and_every_pattern_is_one(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    references = {one["$ref"] for one in everything(document) if isinstance(one.get("$ref"), str)}
    assert references
    assert {ref.removeprefix("#/components/schemas/") for ref in references} <= set(schemas)
    for one in everything(document):
        if isinstance(one.get("pattern"), str):
            re.compile(one["pattern"])


def test_every_operation_says_what_may_happen(document: dict[str, Any]) -> None:
    operations = [one for path in document["paths"].values() for one in path.values()]
    ids = [one["operationId"] for one in operations]
    assert len(set(ids)) == len(ids)
    for one in operations:
        assert one["summary"].endswith(".")
        assert any(status.startswith("2") for status in one["responses"])
        assert ("401" in one["responses"]) == (one["security"] == [{"user": []}])


def test_path_parameters_are_those_of_the_path(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert set(re.findall(r"{(\w+)}", path)) == named


def test_no_answer_has_a_place_for_an_endpoint_or_keys(document: dict[str, Any]) -> None:
    answers = [
        response
        for path in document["paths"].values()
        for operation in path.values()
        for response in operation["responses"].values()
    ]
    named = {ref["$ref"].rpartition("/")[2] for ref in everything(answers) if "$ref" in ref}
    properties = {
        name for model in named for name in document["components"]["schemas"][model].get("properties", {})
    }
    assert properties.isdisjoint({"endpoint", "p256dh", "auth", "user_id", "keys_of_browser"})


def test_it_is_open_may_be_kept_a_while_and_names_its_version(stage: Stage) -> None:
    answer = stage.browser().get("/v1/openapi.json")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert json.loads(answer.content)["openapi"].startswith("3.1.")
