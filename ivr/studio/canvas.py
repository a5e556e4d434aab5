"""The canvas: states are put on it by name, and come off as a definition, laid out as a person would."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ACROSS, DOWN = 400, 250
TRIGGER = "Trigger"


@dataclass(slots=True)
class Canvas:
    """The states in the order in which they were put here; whoever writes the same flow writes the same text."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, name: str, kind: str, ways: Mapping[str, str], **properties: Any) -> str:
        """A new state's name. `ways`: each event of the widget to the next state, "" where it ends."""
        transitions = [_transition(event, leads) for event, leads in ways.items()]
        self.states[name] = {"name": name, "type": kind, "transitions": transitions, "properties": properties}
        return name

    def split(self, name: str, asked: str, cases: Mapping[str, str], otherwise: str, how: str = "equal_to") -> str:
        """Where `asked` leads by what it is: a value to the next state."""
        self.put(name, "split-based-on", {"noMatch": otherwise}, input=asked)
        for value, leads in cases.items():
            condition = {
                "friendly_name": f"If value {how} {value}",
                "arguments": [asked],
                "type": how,
                "value": value,
            }
            self.states[name]["transitions"].append({**_transition("match", leads), "conditions": [condition]})
        return name

    def definition(self, description: str) -> dict[str, Any]:
        """What the trigger leads to, each with its place on the Console's canvas, the nearest first."""
        shown = []
        for name, offset in self._offsets().items():
            state = self.states[name]
            shown.append({**state, "properties": {"offset": offset, **state["properties"]}})
        return {
            "description": description,
            "states": shown,
            "initial_state": TRIGGER,
            "flags": {"allow_concurrent_calls": True},
        }

    def _offsets(self) -> dict[str, dict[str, int]]:
        """A row for each step from the trigger, its states side by side in the middle."""
        found: dict[str, dict[str, int]] = {}
        row, depth = [TRIGGER], 0
        while row:
            left = -ACROSS * (len(row) - 1) // 2
            found |= {name: {"x": left + ACROSS * at, "y": DOWN * depth} for at, name in enumerate(row)}
            below = [way.get("next", "") for name in row for way in self.states[name]["transitions"]]
            row = [name for name in dict.fromkeys(below) if name and name not in found]
            depth += 1
        return found


def _transition(event: str, leads: str) -> dict[str, Any]:
    return {"event": event, "next": leads} if leads else {"event": event}
