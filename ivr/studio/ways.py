"""The ways through a definition: where its transitions lead, what nothing leads to, what is named and is not there."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ivr.flow.findings import near
from ivr.studio import regrets
from ivr.studio.definition import Finding, walk
from ivr.studio.kinds import OUTPUT, TAG, quoted
from ivr.studio.states import State, states

_LIQUID = re.compile(f"{OUTPUT}|{TAG}", re.DOTALL)
_WIDGET = re.compile(r"\bwidgets\s*(?:\.\s*([A-Za-z0-9_-]+)|\[\s*[\"']([^\"']+)[\"']\s*\])")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")


def judged(definition: Any) -> Iterator[Finding]:
    """What is wrong, or will be regretted, between the states."""
    there = states(definition)
    yield from _names(there)
    yield from _start(definition, there)
    yield from _ends(there)
    yield from _unreached(definition, there)
    by_name = {state.name: state for state in there if state.name}
    for state in there:
        for finding in (*regrets.of_its_type(state), *_liquid(state, by_name)):
            yield replace(finding, state=state.name)
    yield from _settings(definition)


def _names(there: list[State]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for state in there:
        where = (*state.where, "name")
        if state.name in first:
            message = f"the name of #/states/{first[state.name]} too; names must be unique"
            yield Finding(where, message, state=state.name)
        elif state.name:
            first[state.name] = state.index
            if not _SAFE_NAME.fullmatch(state.name):
                message = "Liquid may not find this name; letters, digits and _ are safe"
                yield Finding(where, message, "warning", state.name)


def _start(definition: Any, there: list[State]) -> Iterator[Finding]:
    if not there:
        return
    triggers = [state for state in there if state.type == "trigger"]
    if len(triggers) != 1:
        yield Finding(("states",), f"{len(triggers)} triggers; exactly one is allowed")
    initial = definition.get("initial_state")
    if not isinstance(initial, str):
        return
    names = {state.name for state in there}
    if initial not in names or not initial:
        yield Finding(("initial_state",), _nowhere(initial, names))
    elif triggers and initial not in {state.name for state in triggers}:
        message = f"{quoted(initial)} is no trigger; the trigger here is {triggers[0].name}"
        yield Finding(("initial_state",), message, "warning")


def _nowhere(name: str, names: set[str]) -> str:
    meant = near(name, sorted(names))
    hint = f"did you mean {meant}?" if meant else "name one that is there"
    return f"no state is named {quoted(name)}; {hint}"


def _ends(there: list[State]) -> Iterator[Finding]:
    names = {state.name for state in there}
    for state in there:
        for at, _, leads in state.ways:
            if leads and leads not in names:
                where = (*state.where, "transitions", at, "next")
                yield Finding(where, _nowhere(leads, names), state=state.name)


def reached(start: str, there: Mapping[str, State]) -> set[str]:
    """The names of what is reached from `start`."""
    waiting, seen = deque([start]), {start} & there.keys()
    while waiting:
        state = there.get(waiting.popleft())
        for _, _, leads in state.ways if state else ():
            if leads in there and leads not in seen:
                seen.add(leads)
                waiting.append(leads)
    return seen


def _unreached(definition: Any, there: list[State]) -> Iterator[Finding]:
    by_name = {state.name: state for state in there if state.name}
    found = reached(str(definition.get("initial_state")), by_name) if isinstance(definition, dict) else set()
    if not found:
        return  # the start is wrong, and said
    for state in there:
        if state.name and state.name not in found:
            yield Finding(state.where, "nothing leads here; wire it or remove it", "warning", state.name)


def _liquid(state: State, by_name: Mapping[str, State]) -> Iterator[Finding]:
    """Liquid that asks for what no widget of that name can have said."""
    for where, value in walk([dict(state.properties), [dict(way) for way in state.transitions]]):
        if not isinstance(value, str) or "widgets" not in value:
            continue
        names = {a or b for part in _LIQUID.finditer(value) for a, b in _WIDGET.findall(part[0])}
        for name in sorted(names - by_name.keys()):
            place = ("properties" if where[0] == 0 else "transitions", *where[1:])
            meant = near(name, sorted(by_name))
            hint = f"did you mean {meant}?" if meant else "it comes out empty"
            yield Finding((*state.where, *place), f"no widget is named {quoted(name)}; {hint}", "warning")


def _settings(definition: Any) -> Iterator[Finding]:
    flags = definition.get("flags") if isinstance(definition, dict) else None
    if isinstance(flags, dict) and flags.get("allow_concurrent_calls") is False:
        message = "false: a stuck execution keeps its caller's next call out; true is what the Console writes"
        yield Finding(("flags", "allow_concurrent_calls"), message, "warning")
