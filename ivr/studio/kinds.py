"""Kinds: what a property of a widget may be, in JSON's terms, and what is said when it is something else."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ivr.flow.findings import near, unknown
from ivr.studio.definition import Finding, Where

# Neither looks beyond the next opening: a text of nothing but openings would else be read again from each of them.
OUTPUT = r"\{\{((?:(?!\{\{|\}\}).)*+)\}\}"
TAG = r"\{%(?:(?!\{%|%\}).)*+%\}"
MOST_SHOWN = 60  # letters of a value that a finding quotes


@dataclass(frozen=True, slots=True)
class Kind:
    """`pattern` judges a text without Liquid; of Liquid only the call knows. `allowed` says it in words."""

    types: tuple[str, ...]
    allowed: str = ""
    pattern: re.Pattern[str] | None = None
    least: int = 0
    most: int | None = None
    liquid: bool = True
    keys: Mapping[str, "Kind"] | None = None  # of each object of an array
    needed: tuple[str, ...] = ()


def text(allowed: str = "", pattern: str = "", liquid: bool = True) -> Kind:
    return Kind(("string",), allowed, re.compile(pattern) if pattern else None, liquid=liquid)


def one_of(*choices: str, liquid: bool = False) -> Kind:
    listed = " ".join(choice or '""' for choice in choices)
    return text(f"one of {listed}", "|".join(map(re.escape, choices)), liquid)


def whole(least: int = 0, most: int | None = None) -> Kind:
    allowed = f"{least} to {most:,}" if most is not None else f"at least {least}" if least else ""
    return Kind(("integer",), allowed, least=least, most=most)


def rows(keys: Mapping[str, Kind], *needed: str) -> Kind:
    return Kind(("array",), keys=keys, needed=needed)


BOOLEAN = Kind(("boolean",))
TEXT = text()


def type_of(value: Any) -> str:
    """The JSON type, by the name that Twilio's validator gives it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", dict: "object", list: "array"}
    return names[type(value)]


def quoted(value: Any) -> str:
    shown = value if isinstance(value, str) else str(value)
    return f'"{shown[:MOST_SHOWN]}…"' if len(shown) > MOST_SHOWN else f'"{shown}"'


def typed(where: Where, value: Any, *types: str) -> Iterator[Finding]:
    """Nothing when `value` is of one of the types."""
    found = type_of(value)
    if found in types:
        return
    if found == "null":
        yield Finding(where, f"must not be null; leave it out, or write {' or '.join(types)}")
    elif found in ("integer", "boolean") and types == ("string",):
        as_text = str(value).lower() if found == "boolean" else str(value)[:MOST_SHOWN]
        yield Finding(where, f'{found} found, string expected; write "{as_text}"')
    elif found == "string" and types[0] in ("integer", "boolean"):
        yield Finding(where, f"string found, {types[0]} expected; write it without quotes")
    else:
        yield Finding(where, f"{found} found, {' or '.join(types)} expected")


def judged(where: Where, value: Any, kind: Kind) -> Iterator[Finding]:
    """Whether `value` is of this kind."""
    wrong = list(typed(where, value, *kind.types))
    if wrong:
        yield from wrong
    elif isinstance(value, str):
        yield from _text(where, value, kind)
    elif isinstance(value, list) and kind.keys is not None:
        for index, row in enumerate(value):
            yield from keyed((*where, index), row, kind.keys, kind.needed, "key")
    elif isinstance(value, int) and kind.types == ("integer",) and not _within(value, kind):
        yield Finding(where, f"{quoted(value)[1:-1]} is out of bounds; allowed: {kind.allowed or 'from 0 on'}")


def _within(value: int, kind: Kind) -> bool:
    return kind.least <= value and (kind.most is None or value <= kind.most)


def _text(where: Where, value: str, kind: Kind) -> Iterator[Finding]:
    if has_liquid(value):
        if not kind.liquid:
            yield Finding(where, f"no Liquid can stand here; allowed: {kind.allowed}")
    elif kind.pattern and not kind.pattern.fullmatch(value):
        yield Finding(where, f"{quoted(value)} is not allowed; allowed: {kind.allowed}")


def has_liquid(value: str) -> bool:
    return "{{" in value or "{%" in value


def keyed(
    where: Where,
    found: Any,
    keys: Mapping[str, Kind],
    needed: tuple[str, ...],
    what: str,
    meant: Mapping[str, str] | None = None,
) -> Iterator[Finding]:
    """An object that has these keys and no others. `meant`: what is written elsewhere for one of them."""
    wrong = list(typed(where, found, "object"))
    yield from wrong
    if wrong:
        return
    for name, value in found.items():
        if name in keys:
            yield from judged((*where, name), value, keys[name])
        elif meant and meant.get(name) in keys:
            yield Finding((*where, name), f"{name}: unknown {what}; Studio's name for it is {meant[name]}")
        else:
            yield Finding((*where, name), unknown(name, what, keys))
    # What was misspelt is not missing as well.
    strange = [name for name in found if name not in keys]
    guessed = {(meant or {}).get(name) or near(name, keys) for name in strange}
    for name in needed:
        if name not in found and name not in guessed:
            yield Finding((*where, name), "is missing but it is required")
