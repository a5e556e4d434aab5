"""The JSON Schema of a brand's file: current, complete, and of one mind with the loader."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter

from ivr.flow import json_schema
from ivr.flow.schema import Brand
from ivr.flow.shapes import Strict
from ivr.flow.words import PHRASES
from ivr.sandbox.town import ROOT

SCHEMA = json_schema.brand_schema()
MODELS = {"Brand": SCHEMA, **SCHEMA["$defs"]}
KEYS = [(model, key) for model, node in MODELS.items() for key in node.get("properties", {})]


def test_the_committed_schema_is_current() -> None:
    committed = (ROOT / "flows" / "schema.json").read_text(encoding="utf-8")
    assert committed == json_schema.written(), "write it: python -m ivr check --schema > flows/schema.json"


def test_the_shipped_brands_name_it_for_editors() -> None:
    files = sorted((ROOT / "flows").glob("*.yaml"))
    assert len(files) >= 2
    for file in files:
        assert file.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=schema.json\n"), file


def _shape(name: str) -> type[BaseModel]:
    return next(each for each in _below(Strict) if each.__name__ == name)


def _below(shape: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in shape.__subclasses__():
        yield each
        yield from _below(each)


@pytest.mark.parametrize(("model", "key"), KEYS, ids=[f"{model}.{key}" for model, key in KEYS])
def test_a_key_has_words_for_an_editor(model: str, key: str) -> None:
    shown = MODELS[model]["properties"][key]
    assert shown["title"] == key.replace("_", " ").capitalize()
    assert len(shown["description"]) >= 15
    assert shown["description"].endswith((".", "}."))


def test_every_key_of_the_models_is_there() -> None:
    assert set(MODELS) == {
        "Brand",
        "Branch",
        "Closed",
        "Consumers",
        "Costs",
        "Desk",
        "Exit",
        "Expect",
        "Fcm",
        "FollowUp",
        "Hours",
        "Identify",
        "LivePerson",
        "Menu",
        "Messenger",
        "Native",
        "Pattern",
        "Play",
        "Push",
        "PushService",
        "Question",
        "Rcs",
        "Sender",
        "Webhook",
        "WhatsApp",
    }
    assert set(SCHEMA["properties"]) == set(Brand.model_fields)
    assert len(KEYS) >= 50


def test_nothing_else_is_allowed_anywhere() -> None:
    for name, model in MODELS.items():
        assert model["additionalProperties"] is False, name
        assert model["description"], name
    for node in _nodes(SCHEMA):
        assert "null" not in (node.get("type"), *(option.get("type") for option in node.get("anyOf", ())))
        if "patternProperties" in node:
            assert node["additionalProperties"] is False


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        (("accept",), ["0", "9", "*", "#"], ["12", "a", ""]),
        (("tries",), ["1", "5"], ["0", "6", "x"]),
        (("wait",), ["5 seconds", "1 minute", "30Seconds"], ["soon", "5", "5 fortnights"]),
        (("menu", "otherwise", "redirect"), ["https://example.com/x"], ["ftp://example.com", "example.com"]),
        (("menu", "say", "play"), ["http://example.com/x.mp3"], ["hello.mp3"]),
        (("menu", "otherwise", "menu"), ["menu", "service-2"], ["Menu", "2nd", "a b"]),
    ],
)
def test_a_pattern_and_the_loader_agree(path: tuple[str, ...], good: list[str], bad: list[str]) -> None:
    node = json_schema._at(path)
    pattern = node.get("pattern") or node["oneOf"][0]["pattern"]
    assert all(re.search(pattern, text) for text in good)
    assert not any(re.search(pattern, text) for text in bad)


def test_names_are_ids_and_numbers_are_numbers() -> None:
    (ids,) = SCHEMA["properties"]["branches"]["patternProperties"]
    assert re.search(ids, "billing")
    assert not re.search(ids, "Billing")
    (numbers,) = SCHEMA["properties"]["numbers"]["patternProperties"]
    assert re.search(numbers, "+1 415 555 0100")
    assert re.search(numbers, "14155550100"), "an editor takes +14155550100 without quotes for a number"
    assert not re.search(numbers, "front desk")
    assert SCHEMA["properties"]["phrases"]["propertyNames"]["enum"] == list(PHRASES)


def test_exactly_one_way_on() -> None:
    assert MODELS["Exit"]["oneOf"] == [{"required": [key]} for key in MODELS["Exit"]["properties"]]
    assert {"required": ["context_line"]} not in MODELS["Desk"]["oneOf"]


@pytest.mark.parametrize(("model", "key"), KEYS, ids=[f"{model}.{key}" for model, key in KEYS])
def test_an_example_is_good(model: str, key: str) -> None:
    """What a hint offers for pasting passes the models."""
    field = _shape(model).model_fields[key]
    annotated: Any = Annotated[field.annotation, *field.metadata, key]
    reader: TypeAdapter[Any] = TypeAdapter(annotated)
    for example in MODELS[model]["properties"][key].get("examples", ()):
        assert reader.validate_python(_as_read(example)) is not None


@pytest.mark.parametrize("key", sorted({key for _, key in KEYS} | set(PHRASES)))
def test_a_key_is_in_the_docs(key: str) -> None:
    assert re.search(rf"`{key}[`: ]", (ROOT / "docs" / "flows.md").read_text(encoding="utf-8"))


def _as_read(value: Any) -> Any:
    """A value as `source` reads it: every scalar a text."""
    if isinstance(value, Mapping):
        return {str(key): _as_read(item) for key, item in value.items()}
    return [_as_read(item) for item in value] if isinstance(value, list) else str(value)


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)
