"""The environment: SIDs, numbers and URLs of one account put in the place of another's, in a whole definition."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ivr.flow import source
from ivr.studio.definition import Unreadable, Where, walk
from ivr.studio.kinds import OUTPUT, TAG

MOST_READ = 100_000  # bytes
_NAMES = frozenset({"next", "event", "type"})  # of states, of what happens, of operators
_LIQUID = re.compile(f"{OUTPUT}|{TAG}", re.DOTALL)
_QUOTED = re.compile(r"""(?<!\[)(["'])(.*?)\1""")  # a text in Liquid, and no name of a widget
_OWN = re.compile(r"(?<![A-Za-z0-9_.])(?:[A-Z]{2}[0-9a-f]{32}|\+[1-9][0-9]{6,14})(?![A-Za-z0-9_])")


def read_environment(file: Path) -> dict[str, str]:
    """What a YAML file maps: a value as the flow's file has it, to what it is there. Raises Unreadable."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_READ + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror or type(error).__name__})") from None
    found = source.read(content[:MOST_READ], str(file))
    if found.findings:
        raise Unreadable(f'{found.findings[0].message}; write a line a value, like "+14155550100": "+14155559100"')
    data = found.data
    good = isinstance(data, dict) and all(isinstance(each, str) and each for pair in data.items() for each in pair)
    if not good or len(content) > MOST_READ:
        raise Unreadable("no mapping of a text to a text; write a line a value, like FW…: FW…")
    if len(set(data.values())) < len(data):
        raise Unreadable("two values become one; they could not be told apart on the way back")
    return {str(old): str(new) for old, new in data.items()}


def substituted(definition: Any, values: Mapping[str, str]) -> tuple[Any, list[str]]:
    """The definition with each value in the place of its key, all at once, and the keys that stand nowhere in it.

    A key is replaced where it stands alone: no part of a longer number, and no name in Liquid. States keep their names.
    What is no definition stays as it is; it has to pass the check afterwards, with its values in it.
    """
    listed = definition.get("states") if isinstance(definition, dict) else None
    if not values or not isinstance(listed, list):
        return definition, list(values)
    keys = sorted(values, key=len, reverse=True)
    pattern = re.compile(rf"(?<![A-Za-z0-9_.])(?:{'|'.join(map(re.escape, keys))})(?![A-Za-z0-9_])")
    used = set[str]()

    def put(found: re.Match[str]) -> str:
        used.add(found[0])
        return values[found[0]]

    def within(value: Any) -> Any:
        if isinstance(value, str):
            return _outside_names(pattern, put, value)
        if isinstance(value, list):
            return [within(each) for each in value]
        if isinstance(value, dict):
            return {key: each if key in _NAMES else within(each) for key, each in value.items()}
        return value

    states = [
        {key: within(its) if key in ("properties", "transitions") else its for key, its in state.items()}
        if isinstance(state, dict)
        else state
        for state in listed
    ]
    return {**definition, "states": states}, [key for key in values if key not in used]


def _outside_names(pattern: re.Pattern[str], put: Callable[[re.Match[str]], str], value: str) -> str:
    """A text with what is put in it: in Liquid, in quotes alone."""

    def quoted(found: re.Match[str]) -> str:
        return f"{found[1]}{pattern.sub(put, found[2])}{found[1]}"

    parts, end = [], 0
    for liquid in _LIQUID.finditer(value):
        parts += [pattern.sub(put, value[end : liquid.start()]), _QUOTED.sub(quoted, liquid[0])]
        end = liquid.end()
    return "".join((*parts, pattern.sub(put, value[end:])))


def standing(definition: Any, values: Mapping[str, str]) -> list[str]:
    """What a value becomes, where that stands in the definition already as something else."""
    others = [value for value in values.values() if value not in values]
    _, absent = substituted(definition, {value: value for value in others})
    return [value for value in others if value not in absent]


def unmapped(definition: Any, values: Mapping[str, str]) -> Iterator[tuple[Where, str, str]]:
    """The SIDs and numbers that no key is for, each where it stands first, and its state's name."""
    seen = set[str](values)
    for index, state in enumerate(definition["states"]):
        for where, value in walk(state):
            for own in (
                _OWN.findall(value) if isinstance(value, str) and where[0] in ("properties", "transitions") else ()
            ):
                if own not in seen:
                    seen.add(own)
                    yield ("states", index, *where), str(state["name"]), own
