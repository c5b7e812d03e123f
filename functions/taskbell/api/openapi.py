"""The OpenAPI 3.1 document, made from the same routes and models that serve the API.

In: routes. Out: a document as JSON-ready values. Touches nothing. What is declared is what happens: serve.py
parses with the models listed here and refuses to send an answer that its route does not declare.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from taskbell.api.refusal import Refusal
from taskbell.api.route import Access, Answer, Call, Route
from taskbell.api.shapes import Answered, ErrorBody, Id

_REF = "#/components/schemas/{model}"
_MEANING = {
    503: "It cannot work.",
    200: "Done.",
    201: "Made.",
    204: "Done; nothing to say.",
    304: "As you know it already.",
}


class Document(Answered):
    """An OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1)."""

    model_config = ConfigDict(extra="allow")


def routes(described: Sequence[Route[Any]], server: str) -> list[Route[Any]]:
    """Return the route that serves the document, which describes itself too."""

    def read_document(_: Call[None]) -> Answer:
        return Answer(made())

    own: Route[Any] = Route(
        method="GET",
        path="/v1/openapi.json",
        summary="Read this document.",
        handler=read_document,
        access=Access.PUBLIC,
        answers={200: Document},
        cache_control="public, max-age=300",
    )

    @cache
    def made() -> Document:
        return Document.model_validate(document([*described, own], server=server))

    return [own]


def document(routes: Sequence[Route[Any]], *, server: str) -> dict[str, Any]:
    """Return the document for routes served under `server` (an origin)."""
    keys, definitions = models_json_schema(_models(routes), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, keys)
    return {
        "openapi": "3.1.1",
        "info": {"title": "Taskbell", "version": "1", "summary": "Subscribe browsers, read what changed."},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "user": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A Supabase access token of this project, signed with ES256 or RS256.",
                }
            },
        },
    }


_Keys = Mapping[Any, dict[str, Any]]


def _models(routes: Sequence[Route[Any]]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ErrorBody, "serialization")]
    for route in routes:
        if route.body is not None:
            models.append((route.body, "validation"))
        models += [(model, "serialization") for model in route.answers.values() if model is not None]
    return list(dict.fromkeys(models))


def _operation(route: Route[Any], keys: _Keys) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "security": [{"user": []}] if route.access is Access.USER else [],
        "parameters": _parameters(route),
        "responses": _answers(route, keys) | _refusals(route, keys),
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(keys[route.body, "validation"])}
    return operation


def _parameters(route: Route[Any]) -> list[dict[str, Any]]:
    schema = TypeAdapter(Id).json_schema()
    path = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    headers = [
        {"name": header.name, "in": "header", "description": header.description, "schema": {"type": "string"}}
        for header in route.headers
    ]
    return path + headers


def _answers(route: Route[Any], keys: _Keys) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, model in route.answers.items():
        answers[str(status)] = {"description": _MEANING[status]}
        if model is not None:
            answers[str(status)]["content"] = _content(keys[model, "serialization"])
    return answers


def _refusals(route: Route[Any], keys: _Keys) -> dict[str, Any]:
    def by_status(refusal: Refusal) -> int:
        return refusal.status

    refusals: dict[str, Any] = {}
    for status, group in groupby(sorted(route.all_refusals, key=by_status), by_status):
        same = list(group)
        schema = {
            "allOf": [
                keys[ErrorBody, "serialization"],
                {"properties": {"error": {"properties": {"reason": {"enum": [one.reason for one in same]}}}}},
            ]
        }
        description = "\n".join(f"`{one.reason}`: {one.message}" for one in same)
        refusals[str(status)] = {"description": description, "content": _content(schema)}
    return refusals


def _content(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
