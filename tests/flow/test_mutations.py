"""Every key of the schema, mutated in the example: each mutant is found at its line, or is the same flow but for it.

The cases come from the schema and from `flows/acme.yaml` itself: a new key is covered when its example is in the schema.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr.flow import json_schema
from ivr.flow.hints import inline
from ivr.flow.load import Loaded, load
from ivr.flow.source import Source, read
from ivr.sandbox.town import ROOT

ACME = (ROOT / "flows" / "acme.yaml").read_text(encoding="utf-8")

# Where each model of the schema stands in the example, so that a key it does not use can be written into it.
HOMES: Mapping[str, tuple[str, ...]] = {
    "Brand": (),
    "Branch": ("branches", "bookings"),
    "Menu": ("menu",),
    "Hours": ("branches", "bookings", "hours"),
    "Closed": ("branches", "bookings", "closed"),
    "Identify": ("branches", "bookings", "identify"),
    "Exit": ("branches", "billing", "otherwise"),
    "Desk": ("desk",),
    "Sender": ("sender",),
    "WhatsApp": ("sender", "whatsapp"),
    "Rcs": ("sender", "rcs"),
    "Messenger": ("messenger",),
    "Webhook": ("desk", "webhook"),
    "LivePerson": ("desk", "liveperson"),
    "Play": ("menu", "say"),
    "Expect": ("branches", "bookings", "expect"),
    "FollowUp": ("branches", "bookings", "follow_up"),
    "Push": ("push",),
    "Fcm": ("push", "fcm"),
    "PushService": ("push", "webhook"),
    "Consumers": ("consumers",),
    "Costs": ("costs",),
}
# What stands in a home that the example does not have, or has without keys.
FURNISHED: Mapping[tuple[str, ...], Mapping[str, Any]] = {
    ("desk", "webhook"): {"url": "https://desk.example/texts", "secret_env": "ACME_DESK_SECRET"},
    ("desk", "liveperson"): {"campaign": "1244787870", "engagement": "1246064870"},
    ("branches", "bookings", "hours"): {"open": "Mon-Fri 08:00-20:00"},
    ("branches", "bookings", "closed"): {"otherwise": {"say": "We are closed."}},
    ("branches", "bookings", "expect"): {"ended": "Thank you."},
    ("branches", "bookings", "follow_up"): {"after": "2 hours", "text": "Still there? Reply STOP to opt out."},
    ("branches", "bookings", "identify"): {
        "why": "May we ask who you are? Reply SKIP to any question.",
        "questions": [{"ask": "What is your customer number?", "answer": "8 digits", "attribute": "customerId"}],
    },
    ("sender", "whatsapp"): {"number": "+1 415 555 0112", "template": "HX0123456789abcdef0123456789abcdef"},
    ("sender", "rcs"): {"service": "MG0123456789abcdef0123456789abcdef"},
    ("push",): {"webhook": {"url": "https://acme.example/push", "secret_env": "ACME_PUSH_SECRET"}},
    ("push", "fcm"): {"key_env": "ACME_FCM_KEY"},
    ("push", "webhook"): {"url": "https://acme.example/push", "secret_env": "ACME_PUSH_SECRET"},
    ("consumers",): {"sql": "SELECT token FROM users WHERE phone = :number", "url_env": "ACME_APP_DATABASE_URL"},
    ("messenger",): {"page": "acmeair"},
    ("menu", "say"): {"play": "https://acme.example/menu.mp3"},
    ("costs",): {
        "currency": "USD",
        "call_minute": "0.85",
        "call_length": "6 minutes",
        "conversation": "2.40",
        "text": "0.01",
    },
}
# Keys whose absence changes what callers get and is no mistake: the flow differs in the field named here alone.
ABSENT = {
    "timezone": {"timezone"},
    "voice": {"voice"},
    "language": set(),
    "desk": {"desk"},
    "skill": {"branches"},
    "sla": {"branches"},
    "numbers": {"numbers"},
    "menu": {"menus"},
    "fallback": {"branches", "menus"},
}


# Keys that stand beside the one that is chosen.
BESIDE = {"context_line", "deep_link", "title", "active_within"}


def example() -> Source:
    return read(ACME.encode(), "acme.yaml")


def written(data: Any, indent: str = "") -> str:
    """`data` as YAML, one key a line, so that each line is one key's."""
    if not (isinstance(data, dict) and data):
        return f" {inline(data) if data != {} else '{}'}\n"
    lines = "".join(f"{indent}{inline(key)}:{written(value, indent + '  ')}" for key, value in data.items())
    return lines if not indent else f"\n{lines}"


def keys() -> Iterator[tuple[str, ...]]:
    """The path of every key of the schema: those that the example has, and those written into their homes."""
    for model, home in HOMES.items():
        schema = json_schema.brand_schema()
        properties = schema if model == "Brand" else schema["$defs"][model]
        for key in properties["properties"]:
            yield (*home, key)


def with_key(path: tuple[str, ...]) -> dict[str, Any]:
    """The example with a good value at `path`; of keys that exclude each other, this one alone."""
    data: dict[str, Any] = example().data
    if "closed" in path:  # which nobody hears without
        data["hours"] = "24/7"
    if path[:-1] in FURNISHED:
        if path[0] in ("desk", "push") and len(path) > 2:
            data[path[0]] = {}
        at(data, path[:-2])[path[-2]] = dict(FURNISHED[path[:-1]])
    parent = at(data, path[:-1])
    if path[-1] in parent:
        return data
    if path[-2:-1] in (("otherwise",), ("desk",), ("push",)) and path[-1] not in BESIDE:
        parent.clear()
    good = {"menus": {"service": {"say": "Press 1.", "press": {"1": "billing"}, "otherwise": {"queue": "front"}}}}
    parent[path[-1]] = good.get(path[-1], as_read(json_schema.example(path)))
    if path[-1] == "menus":
        data["menu"]["press"]["3"] = "service"
    if path[-1] == "studio":  # where only a URL leads
        del data["menu"]["press"]["1"], data["numbers"]["+1 415 555 0101"]
    return data


def at(data: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def as_read(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): as_read(item) for key, item in value.items()}
    return [as_read(item) for item in value] if isinstance(value, list) else str(value)


def checked(tmp_path: Path, data: Any) -> tuple[Loaded, str]:
    file = tmp_path / "acme.yaml"
    file.write_text(written(data), encoding="utf-8")
    return load([file]), str(file)


def line_of(data: Any, path: tuple[str, ...]) -> int:
    return read(written(data).encode(), "acme.yaml").key_place(path).line


KEYS = list(keys())
IDS = [".".join(path) for path in KEYS]


@pytest.mark.parametrize("path", KEYS, ids=IDS)
def test_as_it_is(tmp_path: Path, path: tuple[str, ...]) -> None:
    loaded, _ = checked(tmp_path, with_key(path))
    assert [str(finding) for finding in loaded.errors] == []
    warned = {
        "sla": "no text mentions it",
        "studio": "no number and no key reaches this branch",
        "other_number": "offer: does not say its key for another number",
    }
    if path[0] == "menu" and path[-1] in ("accept", "confirm", "other_number", "regions"):
        warned = {path[-1]: "has no effect on a menu"}
    if path[0] == "branches":
        warned |= {"late": "without an sla nothing is late", "warn_before": "without an sla there is no promise"}
    if path[:2] in (("sender", "whatsapp"), ("sender", "rcs")):
        warned = {path[-1]: "no channels and no accept name it"}
    if path[0] == "push":
        warned = {path[-1]: "push: no channels and no accept name it"}
    if path[0] == "consumers":
        warned = {path[-1]: "consumers: they are asked for a push alone"}
    if path == ("hours",):
        warned = {"hours": "hours: billing's greeting promises an answer within 10 minutes out of hours, too"}
    if path == ("closed",):
        warned = {"closed": "closed: billing's greeting promises an answer within 10 minutes out of hours, too"}
    assert all(warned.get(path[-1], "nothing") in finding.message for finding in loaded.findings), loaded.findings
    assert bool(loaded.findings) is (path[-1] in warned)


@pytest.mark.parametrize("path", KEYS, ids=IDS)
def test_misspelt(tmp_path: Path, path: tuple[str, ...]) -> None:
    data = with_key(path)
    parent = at(data, path[:-1])
    wrong = path[-1][:1] + "x" + path[-1][1:]
    renamed = {wrong if key == path[-1] else key: value for key, value in parent.items()}
    parent.clear()
    parent.update(renamed)
    loaded, file = checked(tmp_path, data)
    (finding,) = loaded.errors
    assert str(finding).startswith(f"{file}:{line_of(data, (*path[:-1], wrong))}:")
    assert f"{wrong}: unknown key; did you mean {path[-1]}?" in finding.message


@pytest.mark.parametrize("wrong", [["a", "b"], {"a": "b"}], ids=["a list", "a mapping"])
@pytest.mark.parametrize("path", KEYS, ids=IDS)
def test_a_wrong_type(tmp_path: Path, path: tuple[str, ...], wrong: Any) -> None:
    data = with_key(path)
    before = str(checked(tmp_path, data)[0].flows)
    at(data, path[:-1])[path[-1]] = wrong
    loaded, _ = checked(tmp_path, data)
    line = line_of(data, path)
    # Where branches or menus are others, what leads to the old ones is found too.
    errors = [
        error for error in loaded.errors if path[-1] not in ("branches", "menus") or "target" not in error.message
    ]
    if errors:
        assert {finding.place.line for finding in errors} <= {line, line + 1}, errors
        if isinstance(wrong, list):
            assert len(errors) <= 2, "one for each word in the list"
    elif path[-1] != "variables":  # any names are good there
        assert not loaded.errors
        assert str(loaded.flows) == before


@pytest.mark.parametrize("path", KEYS, ids=IDS)
def test_an_empty_value(tmp_path: Path, path: tuple[str, ...]) -> None:
    data = with_key(path)
    at(data, path[:-1])[path[-1]] = ""
    loaded, _ = checked(tmp_path, data)
    (finding,) = loaded.errors
    assert finding.place.line == line_of(data, path)


@pytest.mark.parametrize("path", KEYS, ids=IDS)
def test_removed(tmp_path: Path, path: tuple[str, ...]) -> None:
    data = with_key(path)
    (before,) = checked(tmp_path, data)[0].flows.values()
    parent = at(data, path[:-1])
    first = line_of(data, path[:-1]) if path[:-1] else 1
    del parent[path[-1]]
    loaded, _ = checked(tmp_path, data)
    if loaded.errors:
        places = {finding.place.line for finding in loaded.errors}
        named = all(path[-1] in finding.message or "exactly one of" in finding.message for finding in loaded.errors)
        assert named or path[-1] in ("menu", "menus", "numbers"), loaded.errors
        assert places <= {first, first + 1} or path[-1] in ("menu", "menus"), loaded.errors
        return
    (after,) = loaded.flows.values()
    fields = {field.name for field in dataclasses.fields(before)}
    changed = {name for name in fields if getattr(before, name) != getattr(after, name)}
    in_example = path in example().keys
    homes = {"branches": "branches", "menu": "menus", "sender": "sender", "desk": "context_line"}
    own = {homes.get(path[0], path[0])} if len(path) > 1 else {path[-1], "branches", "menus"}
    if path[:-1] in FURNISHED:
        own = {path[0]} | ({"branches"} if path[-1] == "variables" else set())  # each branch has its own values
    assert changed <= (ABSENT.get(path[-1], own) if in_example else own), changed


TARGETS = [
    path
    for holder in (("numbers",), ("menu", "press"))
    for path in [(*holder, key) for key in at(example().data, holder)]
]


@pytest.mark.parametrize("wrong", ["nowhere", "bilings", "Menu"])
@pytest.mark.parametrize("path", [*TARGETS, ("branches", "billing", "otherwise", "menu")], ids=".".join)
def test_a_wrong_target(tmp_path: Path, path: tuple[str, ...], wrong: str) -> None:
    data = with_key(path)
    at(data, path[:-1])[path[-1]] = wrong
    loaded, _ = checked(tmp_path, data)
    (finding,) = loaded.errors
    assert finding.place.line == line_of(data, path)
    assert f"{wrong}: unknown" in finding.message
    assert "did you mean" in finding.message or "allowed: " in finding.message


def test_every_key_of_the_schema_has_its_cases() -> None:
    schema = json_schema.brand_schema()
    of_lists = {"Question", "Pattern"}  # in test_asking
    assert {"Brand", *schema["$defs"]} - {"Native"} - of_lists == set(HOMES), "one that has keys"
    assert len(KEYS) >= 60
