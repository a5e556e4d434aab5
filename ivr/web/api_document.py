"""The API's OpenAPI document, generated from its shapes."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from ivr.web.api_shapes import (
    Deflection,
    DeflectionList,
    DeflectionRequest,
    Eligibility,
    EligibilityRequest,
    Event,
    ListQuery,
    Problem,
)

_REF = "#/components/schemas/{model}"
_PROBLEMS = {
    "400": "The body is no JSON.",
    "401": "The key is missing or unknown.",
    "403": "The key does not open this brand.",
    "404": "There is no such deflection.",
    "408": "The body came too slowly.",
    "409": "The Idempotency-Key, or the call and branch, was used for something else.",
    "413": "The body is over 64 kB.",
    "415": "The body is not application/json.",
    "422": "Not as documented (`urn:ivr:invalid`), or the number is not texted (`urn:ivr:not-eligible`).",
    "429": "More than 30 requests a second; Retry-After says when to ask again.",
    "503": "Not now; nothing was done, ask again.",
}
_EVERY = ("401", "408", "413", "429", "503")
_POSTED = (*_EVERY, "400", "403", "415", "422")


class _Whole(GenerateJsonSchema):
    """A mapping of names has no others."""

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        generated = super().dict_schema(schema)
        return {**generated, "additionalProperties": False} if "patternProperties" in generated else generated


@cache
def written() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def document() -> Mapping[str, Any]:
    asked = [(shape, "validation") for shape in (EligibilityRequest, DeflectionRequest)]
    answered = [(shape, "serialization") for shape in (Eligibility, Deflection, DeflectionList, Problem, Event)]
    shapes: Any = [*asked, *answered]
    _, schemas = models_json_schema(shapes, ref_template=_REF, schema_generator=_Whole)
    return {
        "openapi": "3.1.0",
        "info": {"title": "IVR deflection", "version": "1", "description": "Another IVR's door; see docs/api.md."},
        "security": [{"key": []}],
        "paths": _paths(),
        "webhooks": {"changed": {"post": _told()}},
        "components": {"schemas": schemas["$defs"], "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _paths() -> Mapping[str, Any]:
    once = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Kept for 48 hours: the same request is answered the same, another one with 409.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }
    name = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/api/v1/eligibility": {
            "post": _operation("eligibility", EligibilityRequest, {"200": Eligibility}, _POSTED),
        },
        "/api/v1/deflections": {
            "post": _operation(
                "deflect", DeflectionRequest, {"201": Deflection, "200": Deflection}, (*_POSTED, "409"), [once]
            ),
            "get": _operation("list", None, {"200": DeflectionList}, (*_EVERY, "403", "422"), _asked_in(ListQuery)),
        },
        "/api/v1/deflections/{id}": {"get": _operation("status", None, {"200": Deflection}, (*_EVERY, "404"), [name])},
        "/api/v1/openapi.json": {
            "get": {
                "operationId": "openapi",
                "responses": {
                    "200": {"description": "This document.", "content": {"application/json": {"schema": {}}}},
                    **_problems(_EVERY),
                },
            }
        },
    }


def _told() -> Mapping[str, Any]:
    signature = {
        "name": "Ivr-Signature",
        "in": "header",
        "required": True,
        "description": "t=UNIX,v1=HEX: HMAC-SHA256 of t, a dot and the body; the secret is the key's SHA-256 in hex.",
        "schema": {"type": "string"},
    }
    return {
        "operationId": "changed",
        "security": [],
        "parameters": [signature],
        "requestBody": {"required": True, **_of(Event)},
        "responses": {"200": {"description": "Taken."}},
    }


def _operation(
    name: str,
    body: type[BaseModel] | None,
    answers: Mapping[str, type[BaseModel]],
    problems: tuple[str, ...],
    parameters: list[dict[str, Any]] | None = None,
) -> Mapping[str, Any]:
    good = {
        status: {"description": "Already there." if status == "200" and "201" in answers else "Good.", **_of(answer)}
        for status, answer in answers.items()
    }
    operation: dict[str, Any] = {"operationId": name, "responses": {**good, **_problems(problems)}}
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, **_of(body)}
    return operation


def _of(shape: type[BaseModel], kind: str = "application/json") -> dict[str, Any]:
    return {"content": {kind: {"schema": {"$ref": _REF.format(model=shape.__name__)}}}}


def _problems(statuses: tuple[str, ...]) -> dict[str, Any]:
    return {
        status: {"description": _PROBLEMS[status], **_of(Problem, "application/problem+json")}
        for status in sorted(statuses)
    }


def _asked_in(query: type[BaseModel]) -> list[dict[str, Any]]:
    """A query's keys as parameters."""
    properties = query.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in properties.items()]
