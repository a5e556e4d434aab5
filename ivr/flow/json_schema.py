"""The JSON Schema of a brand's file, generated from the models: for editors, and for what a finding allows."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ivr.flow.schema import Brand

Path = tuple[str | int, ...]


class _ForEditors(GenerateJsonSchema):
    """YAML's empty value is an empty text here, never null; and a mapping of names has no others."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        generated = super().default_schema(schema)
        if generated.get("default", "") is None:
            del generated["default"]
        return generated

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        generated = super().dict_schema(schema)
        return {**generated, "additionalProperties": False} if "patternProperties" in generated else generated


@cache
def brand_schema() -> Mapping[str, Any]:
    """The JSON Schema (draft 7, which editors know best). Every key has a title and a description."""
    schema = Brand.model_json_schema(schema_generator=_ForEditors)
    for model in (schema, *schema["$defs"].values()):
        for name, value in model.get("properties", {}).items():
            value["title"] = name.replace("_", " ").capitalize()
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema, "title": "A brand's file"}


def written() -> str:
    """`flows/schema.json`, to the byte."""
    return json.dumps(brand_schema(), indent=2, ensure_ascii=False) + "\n"


def allowed(parent: Path) -> list[str]:
    """The keys that the schema knows in the mapping at `parent`."""
    return list(_resolved(_at(parent)).get("properties", {}))


def example(path: Path) -> Any:
    """A value that may stand at `path`, or None where the schema has none."""
    node = _at(path)
    examples = node.get("examples") or _resolved(node).get("examples") or node.get("enum") or [node.get("const")]
    return examples[0]


def _at(path: Path) -> Mapping[str, Any]:
    node: Any = brand_schema()
    for step in path:
        node = _resolved(node)
        named = next(iter(node.get("patternProperties", {}).values()), None) or node.get("additionalProperties")
        node = node.get("properties", {}).get(step) or named or {}
    return node if isinstance(node, dict) else {}


def _resolved(node: Any) -> Mapping[str, Any]:
    """The mapping that a node stands for, past references and alternatives."""
    while isinstance(node, dict) and not node.get("properties"):
        if "$ref" in node:
            node = brand_schema()["$defs"][node["$ref"].rsplit("/", 1)[1]]
            continue
        # Of a text or a recording, the mapping is the recording.
        options = [option for option in node.get("oneOf", ()) if "$ref" in option]
        if not options:
            break
        node = options[0]
    return node if isinstance(node, dict) else {}
