"""The difference of two definitions as a caller would notice it: offsets, order and names of widgets do not count."""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from ivr.studio.states import State, states
from ivr.studio.ways import reached

MOST_SHOWN = 60  # letters of a value
_VALUES = re.compile(r'match (?:equal_to|matches_any_of) ("(?:[^"\\]|\\.)*")')
_WIDGET = re.compile(r"\bwidgets\.([A-Za-z0-9_-]+)")


def differences(old: Any, new: Any) -> list[str]:
    """One line each, in the order in which a caller meets them. Both have passed the check."""
    return list(_Pairs.of(old, new).told())


@dataclass(slots=True)
class _Pairs:
    """Which state of the old flow is which of the new one: by name, or by where it is reached when it was renamed."""

    old: dict[str, State]
    new: dict[str, State]
    is_now: dict[str, str] = field(default_factory=dict)
    was: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, list[str]] = field(default_factory=dict)  # by the old state's name

    @classmethod
    def of(cls, old: Any, new: Any) -> "_Pairs":
        pairs = cls(_by_name(old), _by_name(new))
        pairs._walk(str(old["initial_state"]), str(new["initial_state"]))
        return pairs

    def _walk(self, old: str, new: str) -> None:
        self._pair(old, new)
        waiting = deque([old])
        while waiting:
            before = waiting.popleft()
            ways, now = _ways(self.old[before]), _ways(self.new[self.is_now[before]])
            for event in dict.fromkeys((*ways, *now)):
                absent = None if event.startswith("match") else ""
                waiting.extend(self._follow(before, event, ways.get(event, absent), now.get(event, absent)))

    def _follow(self, before: str, event: str, old: str | None, new: str | None) -> Iterator[str]:
        """The old states that are paired on this way; where it leads elsewhere now is kept."""
        if not self._same(old, new):
            self.elsewhere.setdefault(before, []).append(f"{_brief(event)}: leads to {_end(new)}, was {_end(old)}")
            names = [(name, name) for name in (old, new) if name and name in self.old and name in self.new]
        else:
            names = [(old, new)] if old and new else []
        for was, now in names:
            if was not in self.is_now and now not in self.was:
                self._pair(was, now)
                yield was

    def _same(self, old: str | None, new: str | None) -> bool:
        if not old or not new:
            return old == new
        if old in self.is_now or new in self.was:
            return self.is_now.get(old) == new
        return old == new or (old not in self.new and new not in self.old)

    def _pair(self, old: str, new: str) -> None:
        self.is_now[old], self.was[new] = new, old

    def told(self) -> Iterator[str]:
        for before, now in self.is_now.items():
            yield from self._changed(self.old[before], self.new[now])
            yield from (f"{now}: {line}" for line in self.elsewhere.get(before, ()))
            yield from (f"{now}: {line}" for line in _reordered(self.old[before], self.new[now]))
        for name, state in self.new.items():
            if name not in self.was:
                yield f"{name}: is new, {state.type}{_gist(state)}"
        for name, state in self.old.items():
            if name not in self.is_now:
                yield f"{name}: is gone, {state.type}{_gist(state)}"

    def _changed(self, old: State, new: State) -> Iterator[str]:
        if old.type != new.type:
            yield f"{new.name}: is {new.type}, was {old.type}"
            return
        for key in dict.fromkeys((*old.properties, *new.properties)):
            before, now = self._as_new(old.properties.get(key)), new.properties.get(key)
            if key != "offset" and before != now:
                yield f"{new.name}.{key}: {_shown(now)}, was {_shown(before)}"

    def _as_new(self, value: Any) -> Any:
        """A value of the old flow with its widgets' new names."""
        if isinstance(value, str):
            return _WIDGET.sub(lambda found: f"widgets.{self.is_now.get(found[1], found[1])}", value)
        if isinstance(value, list):
            return [self._as_new(each) for each in value]
        return {key: self._as_new(each) for key, each in value.items()} if isinstance(value, dict) else value


def _by_name(definition: Any) -> dict[str, State]:
    """What a call can reach."""
    there = {state.name: state for state in states(definition)}
    kept = reached(str(definition["initial_state"]), there)
    return {name: state for name, state in there.items() if name in kept}


def _ways(state: State) -> Mapping[str, str]:
    """Event, of a match with its conditions, to the state that follows; that a way is listed and ends is nothing."""
    found: dict[str, str] = {}
    for way in state.transitions:
        conditions = [_case(state, each) for each in way.get("conditions") or ()]
        event, leads = " ".join((str(way["event"]), *conditions)), str(way.get("next") or "")
        if leads or conditions:
            found.setdefault(event, leads)  # the first that matches is taken
    return found


def _case(split: State, condition: Mapping[str, Any]) -> str:
    """A condition in words; what it asks about, where that is not the split's own input."""
    asked, its_own = str(condition["arguments"][0]).strip(), str(split.properties.get("input", "")).strip()
    about = "" if asked == its_own else f"{_shown(asked)} "
    return f"{about}{condition['type']} {json.dumps(condition['value'], ensure_ascii=False)}"


def _reordered(old: State, new: State) -> Iterator[str]:
    """Cases that could both hold, asked in another order: the first that matches is taken."""
    order = {event: at for at, event in enumerate(_ways(old))}
    kept = [(event, leads) for event, leads in _ways(new).items() if event in order and event.startswith("match ")]
    for (first, one), (second, other) in combinations(kept, 2):
        if order[first] > order[second] and one != other and not _apart(first, second):
            yield f"{_brief(first)} is asked before {_brief(second).removeprefix('match ')}"


def _apart(one: str, other: str) -> bool:
    """Whether two cases are plain values of the same input, and no value is both's."""
    found = [_VALUES.fullmatch(event) for event in (one, other)]
    texts = [json.loads(match[1]).lower() for match in found if match]
    return len(texts) == 2 and not (
        {each.strip() for each in texts[0].split(",")} & {each.strip() for each in texts[1].split(",")}
    )


def _brief(event: str) -> str:
    return event if len(event) <= 2 * MOST_SHOWN else f"{event[: 2 * MOST_SHOWN]}…"


def _end(leads: str | None) -> str:
    return "no case" if leads is None else leads or "the end"


def _gist(state: State) -> str:
    said = state.properties.get("say") or state.properties.get("body")
    return f", {_shown(said)}" if said else ""


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
