"""The shape of a definition: its frame, and each state by the table of widgets."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ivr.flow.findings import near, unknown
from ivr.studio.definition import Finding, Where
from ivr.studio.kinds import BOOLEAN, TEXT, Kind, keyed, quoted, text, typed
from ivr.studio.widgets import ENDINGS, MEANT, MEANT_TYPES, OPERATORS, TYPES, WIDGETS, Widget

SCHEMA = "https://schemas.twilio.com/studio/draft/2019-09/flow-definition"
MOST_STATES = 1000
OBJECT, ARRAY = Kind(("object",)), Kind(("array",))
ENVELOPE = {
    "$schema": text(SCHEMA, re.escape(SCHEMA), liquid=False),
    "description": TEXT,
    "states": ARRAY,
    "initial_state": TEXT,
    "flags": OBJECT,
}
STATE = {"name": TEXT, "type": TEXT, "transitions": ARRAY, "properties": OBJECT}
TRANSITION = {"event": TEXT, "next": TEXT, "conditions": ARRAY}
_NUMBER = Kind(("integer", "number"))
CONDITION = {"friendly_name": TEXT, "arguments": ARRAY, "type": TEXT, "value": TEXT}
_MEANT_IN_CONDITION = {"variable": "arguments", "argument": "arguments", "operator": "type"}


def frame(definition: Any) -> Iterator[Finding]:
    """Everything but the states."""
    yield from keyed((), definition, ENVELOPE, ("states", "initial_state"), "key")
    if not isinstance(definition, dict):
        return
    flags = definition.get("flags")
    if isinstance(flags, dict):
        yield from keyed(("flags",), flags, {"allow_concurrent_calls": BOOLEAN}, ("allow_concurrent_calls",), "flag")
    if isinstance(definition.get("states"), list):
        count = len(definition["states"])
        if not 1 <= count <= MOST_STATES:
            yield Finding(("states",), f"{count:,} states; allowed: 1 to {MOST_STATES:,}")


def state(index: int, found: Any) -> Iterator[Finding]:
    """One state; every finding about it has its name."""
    where: Where = ("states", index)
    name = found.get("name") if isinstance(found, dict) else None
    for finding in _state(where, found):
        yield replace(finding, state=name if isinstance(name, str) else "")


def _state(where: Where, found: Any) -> Iterator[Finding]:
    yield from keyed(where, found, STATE, tuple(STATE), "key")
    if not isinstance(found, dict):
        return
    kind = found.get("type")
    if found.get("name") == "":
        yield Finding((*where, "name"), "must not be empty; letters, digits and _ are safe")
    if isinstance(kind, str) and kind not in TYPES:
        yield _no_type((*where, "type"), kind)
    widget = WIDGETS.get(kind) if isinstance(kind, str) else None
    if isinstance(found.get("properties"), dict):
        yield from _properties((*where, "properties"), found["properties"], widget)
    if isinstance(found.get("transitions"), list):
        yield from _transitions((*where, "transitions"), found["transitions"], kind, widget)


def _no_type(where: Where, kind: str) -> Finding:
    if kind in ENDINGS:
        return Finding(where, f"{kind}: Studio has no such widget; to hang up, leave out `next` where the call ends")
    if kind in MEANT_TYPES:
        return Finding(where, f"{kind}: unknown widget type; Studio's name for it is {MEANT_TYPES[kind]}")
    return Finding(where, unknown(kind, "widget type", TYPES))


def _properties(where: Where, found: dict[str, Any], widget: Widget | None) -> Iterator[Finding]:
    if "offset" in found:
        yield from keyed((*where, "offset"), found["offset"], {"x": _NUMBER, "y": _NUMBER}, ("x", "y"), "key")
    else:
        yield Finding((*where, "offset"), "no offset; the Console shows such widgets on a pile", "warning")
    if widget is None:
        return
    its = {name: value for name, value in found.items() if name != "offset"}
    yield from keyed(where, its, widget.properties, widget.needed, "property", MEANT)
    for name in widget.expected:
        if name not in its and not ("content_sid" in its and name == "body"):
            yield Finding((*where, name), "is missing; Twilio's schema wants it", "warning")
    yield from _either(where, its, widget)


def _either(where: Where, its: dict[str, Any], widget: Widget) -> Iterator[Finding]:
    there = [name for name in widget.either if name in its]
    if len(there) > 1:
        yield Finding((*where, there[1]), f"{there[0]} and {there[1]} together; keep one of {', '.join(widget.either)}")
    elif widget.either and not there:
        misspelt = any(MEANT.get(name) in widget.either or near(name, widget.either) for name in its)
        if not misspelt:
            message = f"nothing of {', '.join(widget.either)} is there; write one of them"
            yield Finding(where, message, "warning" if widget.silent else "error")


def _transitions(where: Where, found: list[Any], kind: Any, widget: Widget | None) -> Iterator[Finding]:
    seen = set[str]()
    for index, transition in enumerate(found):
        here = (*where, index)
        yield from keyed(here, transition, TRANSITION, ("event",), "key")
        if not isinstance(transition, dict) or not isinstance(event := transition.get("event"), str):
            continue
        if widget and event not in widget.events:
            yield Finding((*here, "event"), f"{quoted(event)} is none; must be a constant value {_or(widget.events)}")
        elif event in seen and event != "match":
            yield Finding((*here, "event"), f"{event} is listed twice; once is allowed")
        seen.add(event)
        yield from _conditions(here, transition, kind == "split-based-on" and event == "match")


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(words)


def _conditions(where: Where, transition: dict[str, Any], wanted: bool) -> Iterator[Finding]:
    here = (*where, "conditions")
    found = transition.get("conditions")
    if not wanted:
        if found:
            yield Finding(here, "conditions stand in the `match` transitions of a split-based-on alone")
        return
    if "conditions" not in transition or found == []:
        yield Finding(here, "is missing but it is required; a match needs one condition")
    for index, condition in enumerate(found if isinstance(found, list) else []):
        yield from _condition((*here, index), condition)


def _condition(where: Where, found: Any) -> Iterator[Finding]:
    yield from keyed(where, found, CONDITION, tuple(CONDITION), "key", _MEANT_IN_CONDITION)
    if not isinstance(found, dict):
        return
    arguments, operator = found.get("arguments"), found.get("type")
    if isinstance(arguments, list):
        if len(arguments) != 1:
            yield Finding(
                (*where, "arguments"), f"{len(arguments)} arguments; exactly one is allowed, the split's input"
            )
        for index, argument in enumerate(arguments):
            yield from typed((*where, "arguments", index), argument, "string")
    if isinstance(operator, str) and operator not in OPERATORS:
        yield Finding((*where, "type"), unknown(operator, "operator", OPERATORS))
    elif isinstance(operator, str) and isinstance(value := found.get("value"), str):
        yield from _operand((*where, "value"), operator, value)


def _operand(where: Where, operator: str, value: str) -> Iterator[Finding]:
    if "{{" in value:
        return
    if operator.endswith("_time") and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        yield Finding(where, f"{quoted(value)} is no time; allowed: HH:MM of 24 hours")
    if operator.endswith("_date") and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])", value):
        yield Finding(where, f"{quoted(value)} is no date; allowed: YYYY-MM-DD")
    if operator == "regex" and len(value) > 1 and value[0] == value[-1] == "/":
        yield Finding(where, "a regex between slashes matches the slashes; write it without them", "warning")
