"""Hints: the lines of YAML that mend a finding when they are pasted into the file."""

import json
import re
from typing import Any

from ivr.flow.json_schema import example
from ivr.flow.source import MAX_QUOTED, Path, Source

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 /_.-]*|https?://[A-Za-z0-9/._-]+")

Hint = tuple[str, ...]


def renamed(source: Source, path: Path, word: str, meant: str, value: bool = False) -> Hint:
    """The line of the key (or the value) at `path` with `meant` in the place of `word`."""
    place = source.place(path) if value else source.key_place(path)
    line, start = source.line(place), place.column - 1
    for quote in ("", '"', "'"):
        wrong = f"{quote}{word}{quote}"
        if line.startswith(wrong, start) and len(line) < MAX_QUOTED:
            return (f"{line[:start]}{quote}{meant}{quote}{line[start + len(wrong) :]}",)
    return ()


def added(source: Source, path: Path, value: Any = None) -> Hint:
    """The key at `path`, which is missing, with a value that may stand there."""
    place = source.place(path[:-1])
    block = source.line(place)[place.column - 1 : place.column] not in ("", "{", "[")
    return _pair(place.column - 1, path, value) if block else ()


def changed(source: Source, path: Path, value: Any = None) -> Hint:
    """The key at `path` with a value that may stand there; where it has none, what may stand below it."""
    place = source.key_place(path)
    line, indent = source.line(place), place.column - 1
    if path not in source.keys or line[:indent].strip():
        return ()
    shown = example(path) if value is None else value
    if isinstance(shown, dict) and shown and re.fullmatch(r"[a-z_]+:\s*(#.*)?", line[indent:]):
        return tuple(line for key, item in shown.items() for line in _pair(indent + 2, (*path, key), item))
    return _pair(indent, path, shown)


def _pair(indent: int, path: Path, value: Any) -> Hint:
    shown = example(path) if value is None else value
    if shown is None or indent > MAX_QUOTED:
        return ()
    return (f"{' ' * indent}{inline(path[-1])}: {inline(shown)}",)


def inline(value: Any) -> str:
    """`value` as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{inline(key)}: {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, str) and not _PLAIN.fullmatch(value) else str(value)
    )
