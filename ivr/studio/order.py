"""The order of a definition's keys: the same flow is the same text, whoever sends it. Its states keep theirs."""

from collections.abc import Iterable, Mapping
from typing import Any

from ivr.studio.shape import CONDITION, ENVELOPE, STATE, TRANSITION
from ivr.studio.widgets import WIDGETS


def ordered(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that has passed the check, as an export writes it; what nobody described comes last, by name."""
    return _sorted({**definition, "states": [_state(state) for state in definition["states"]]}, ENVELOPE)


def _state(state: Mapping[str, Any]) -> dict[str, Any]:
    widget = WIDGETS.get(state["type"])
    known = ("offset", *(widget.properties if widget else ()))
    its = {
        "properties": _sorted(state["properties"], known),
        "transitions": [_transition(way) for way in state["transitions"]],
    }
    return _sorted({**state, **its}, STATE)


def _transition(way: Mapping[str, Any]) -> dict[str, Any]:
    conditions = [_sorted(each, CONDITION) for each in way.get("conditions", ())]
    return _sorted({**way, **({"conditions": conditions} if "conditions" in way else {})}, TRANSITION)


def _sorted(found: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    order = [key for key in keys if key in found]
    return {key: found[key] for key in (*order, *sorted(found.keys() - set(order)))}
