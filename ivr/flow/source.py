"""YAML as text with places: every key and value with its line and column, every scalar as it was written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ivr.flow.findings import Finding, Place

MAX_BYTES = 1_000_000
MAX_NODES = 20_000
MAX_DEPTH = 50

Path = tuple[str | int, ...]

# libyaml where the wheel has it (ten times faster), the same events without.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Source:
    """A file's content as plain dicts, lists and strings, and the place of each key and value by its path."""

    file: str
    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Where the value at `path` stands, or the nearest mapping around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place())

    def key_place(self, path: Path) -> Place:
        return self.keys.get(path) or self.place(path)

    def error(self, place: Place, message: str) -> None:
        self.findings.append(Finding(self.file, place, message))


class _Refused(Exception):
    """The file cannot be read on; its finding is written already."""


def read(content: bytes, file: str) -> Source:
    """The file's content with its places; what is wrong with the YAML itself is in `findings`."""
    source = Source(file)
    try:
        text = _text(content, source)
        _Builder(source, yaml.parse(text, Loader=_Loader)).document()
    except _Refused:
        source.data = None
    except yaml.YAMLError as error:
        source.error(_place_of(error), _sentence(error))
        source.data = None
    return source


def _text(content: bytes, source: Source) -> str:
    if len(content) > MAX_BYTES:
        source.error(Place(), f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are read")
        raise _Refused
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        source.error(Place(line), "not UTF-8; save the file with the encoding UTF-8")
        raise _Refused from None
    if "\0" in text:
        before = text[: text.index("\0")]
        source.error(Place(before.count("\n") + 1), "a NUL character; the file must be plain text")
        raise _Refused
    return text


class _Builder:
    """Builds the tree from parser events, without recursion, so that depth and size have a bound."""

    def __init__(self, source: Source, events: Iterator[Event]) -> None:
        self._source = source
        self._events = events
        self._nodes = 0

    def document(self) -> None:
        # A stack of open collections: (collection, its path, the key that waits for its value).
        stack: list[tuple[Any, Path, list[str]]] = []
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, "a second document (---); one file is one brand")
            elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
                stack.pop()
            elif isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent, AliasEvent)):
                self._node(event, stack)

    def _node(self, event: Event, stack: list[tuple[Any, Path, list[str]]]) -> None:
        self._bounds(event, len(stack))
        if stack and isinstance(stack[-1][0], dict) and not stack[-1][2]:
            self._key(event, *stack[-1])
            return
        value: Any = (
            event.value if isinstance(event, ScalarEvent) else {} if isinstance(event, MappingStartEvent) else []
        )
        path = self._attach(value, stack)
        self._source.values[path] = _start(event)
        if not isinstance(event, ScalarEvent):
            stack.append((value, path, []))

    def _key(self, event: Any, mapping: dict[str, Any], path: Path, pending: list[str]) -> None:
        if not isinstance(event, ScalarEvent):
            self._refuse(event, "a key must be one word or one text")
        key = event.value
        place = _start(event)
        first = self._source.keys.get((*path, key))
        if key == "<<" and event.implicit[0]:
            self._refuse(event, "<<: merge keys are not read; write the keys out")
        if key in mapping and first:
            self._source.error(place, f"{key}: duplicate key; it stands in line {first.line} already")
            key = f"{key}\0{place.line}.{place.column}"  # read on without a second finding about it
        else:
            self._source.keys[(*path, key)] = place
        pending.append(key)

    def _attach(self, value: Any, stack: list[tuple[Any, Path, list[str]]]) -> Path:
        if not stack:
            self._source.data = value
            return ()
        parent, path, pending = stack[-1]
        if isinstance(parent, list):
            parent.append(value)
            return (*path, len(parent) - 1)
        key = pending.pop()
        if "\0" not in key:
            parent[key] = value
        return (*path, key)

    def _bounds(self, event: Event, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES:,} keys and values; split the brand")
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            self._refuse(event, "anchors and aliases (& and *) are not read; write the value out, or put it in quotes")
        tag = getattr(event, "tag", None)
        if tag and not tag.startswith("tag:yaml.org,2002:str"):
            self._refuse(event, "tags (!) are not read; put the text in quotes")

    def _refuse(self, event: Event, message: str) -> None:
        self._source.error(_start(event), message)
        raise _Refused


def _start(event: Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place()


def _place_of(error: yaml.YAMLError) -> Place:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return Place(mark.line + 1, mark.column + 1) if mark else Place()


def _sentence(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read as YAML"
    if "cannot start any token" in problem:
        problem = "a character that YAML reserves (a tab, @ or `); indent with spaces, put such text in quotes"
    elif "mapping values are not allowed" in problem:
        problem = "a second colon in the line; put the text in quotes"
    return f"syntax: {problem}"
