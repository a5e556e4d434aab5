"""The environment: SIDs, numbers and URLs of one account put in the place of another's, in a whole definition."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivr.flow import source
from ivr.studio.definition import Unreadable

MOST_READ = 100_000  # bytes
_NAMES = frozenset({"next", "event"})  # of states, and of what happens


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
    """
    if not values:
        return definition, []
    keys = sorted(values, key=len, reverse=True)
    pattern = re.compile(rf"(?<![A-Za-z0-9_.])(?:{'|'.join(map(re.escape, keys))})(?![A-Za-z0-9_])")
    used = set[str]()

    def put(found: re.Match[str]) -> str:
        used.add(found[0])
        return values[found[0]]

    def within(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(put, value)
        if isinstance(value, list):
            return [within(each) for each in value]
        if isinstance(value, dict):
            return {key: each if key in _NAMES else within(each) for key, each in value.items()}
        return value

    states = [
        {**state, "properties": within(state["properties"]), "transitions": within(state["transitions"])}
        for state in definition["states"]
    ]
    return {**definition, "states": states}, [key for key in values if key not in used]
