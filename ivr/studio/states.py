"""The states of a definition as far as they can be read, whatever else is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivr.studio.definition import Where


@dataclass(frozen=True, slots=True)
class State:
    index: int
    name: str
    type: str
    properties: Mapping[str, Any]
    transitions: tuple[Mapping[str, Any], ...]
    ways: tuple[tuple[int, str, str], ...]  # place in the list, event, the state that follows; "" ends the branch

    @property
    def where(self) -> Where:
        return ("states", self.index)

    def leads(self, event: str) -> str | None:
        """What follows on an event; "" ends the branch, None is not listed."""
        return next((leads for _, its, leads in self.ways if its == event), None)


def own(split: State, way: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The one condition of a match that asks about the split's own input, as exports have it; None for any other.

    Whether all of several conditions must hold, or one, is documented nowhere.
    """
    conditions: list[Any] = way.get("conditions") or []
    if len(conditions) != 1 or str(conditions[0]["arguments"][0]).strip() != str(split.properties["input"]).strip():
        return None
    return dict(conditions[0])


def states(definition: Any) -> list[State]:
    found = definition.get("states") if isinstance(definition, dict) else None
    return [_state(index, its) for index, its in enumerate(found if isinstance(found, list) else [])]


def _state(index: int, found: Any) -> State:
    its = found if isinstance(found, dict) else {}
    listed = its.get("transitions")
    listed = listed if isinstance(listed, list) else []
    ways = tuple((at, _text(way, "event"), _text(way, "next")) for at, way in enumerate(listed))
    properties = its.get("properties")
    return State(
        index,
        _text(its, "name"),
        _text(its, "type"),
        properties if isinstance(properties, dict) else {},
        tuple(way for way in listed if isinstance(way, dict)),
        ways,
    )


def _text(found: Any, key: str) -> str:
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
