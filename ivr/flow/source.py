"""YAML as text with places: every key and value with its line and column, every scalar as it was written."""

import re
from collections.abc import Iterator, Mapping
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
from yaml.reader import Reader

from ivr.flow.findings import Finding, Place, Severity

MAX_BYTES = 1_000_000
MAX_NODES = 20_000
MAX_DEPTH = 50
MAX_FINDINGS = 300  # of a kind in one file
MAX_QUOTED = 200  # characters of a line
MAX_MESSAGE = 600

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
    lines: list[str] = field(default_factory=list)
    faults: set[Path] = field(default_factory=set)  # what has an error
    faulty: set[Path] = field(default_factory=set)  # and everything around it
    doubled: set[Path] = field(default_factory=set)  # keys that are there twice; the first is read
    _counted: dict[Severity, int] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """Where the value at `path` stands, or the nearest mapping around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place())

    def key_place(self, path: Path) -> Place:
        return self.keys.get(path) or self.place(path)

    def at(self, path: Path, message: str, hint: tuple[str, ...] = ()) -> None:
        """An error of the value at `path`."""
        self.marked(path)
        self.error(self.place(path), message, hint)

    def at_key(self, path: Path, message: str, hint: tuple[str, ...] = ()) -> None:
        """An error of the key at `path`, or of everything below it."""
        self.marked(path)
        self.error(self.key_place(path), message, hint)

    def marked(self, path: Path) -> None:
        """`path` has an error: no warning that may come of it is worth a line."""
        self.faults.add(path)
        self.faulty.update(path[:length] for length in range(len(path) + 1))

    def error(self, place: Place, message: str, hint: tuple[str, ...] = ()) -> None:
        self._add(place, message, "error", hint)

    def warning(self, place: Place, message: str, hint: tuple[str, ...] = ()) -> None:
        self._add(place, message, "warning", hint)

    def rename(self, moved: Mapping[Path, str]) -> None:
        """Read on as if the keys at these paths had been written as they were meant; places stay what they are."""
        depths = {len(path) for path in moved}
        for path, meant in moved.items():
            parent = self.data
            for step in path[:-1]:
                parent = parent[step]
            parent[meant] = parent.pop(path[-1])
        for places in (self.values, self.keys):
            for path in list(places):
                depth = next((depth for depth in depths if path[:depth] in moved), 0)
                if depth:
                    places[(*path[: depth - 1], moved[path[:depth]], *path[depth:])] = places.pop(path)

    @property
    def full(self) -> bool:
        """Whether no more errors are shown, so that the words of another are not worth the time."""
        return self._counted.get("error", 0) > MAX_FINDINGS

    def line(self, place: Place) -> str:
        """The line of the file at `place`, its end cut off where it is very long."""
        return self.lines[place.line - 1][:MAX_QUOTED] if place.line <= len(self.lines) else ""

    def _add(self, place: Place, message: str, severity: Severity, hint: tuple[str, ...]) -> None:
        count = self._counted[severity] = self._counted.get(severity, 0) + 1
        if count <= MAX_FINDINGS:
            short = message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}…"
            self.findings.append(Finding(self.file, place, short, severity, self.line(place), hint))
        elif count == MAX_FINDINGS + 1:
            more = f"more than {MAX_FINDINGS} {severity}s; mend the others first"
            self.findings.append(Finding(self.file, Place(), more, severity))


_NODES = frozenset({ScalarEvent, MappingStartEvent, SequenceStartEvent, AliasEvent})
_ENDS = frozenset({MappingEndEvent, SequenceEndEvent})


class _Refused(Exception):
    """The file cannot be read on; its finding is written already."""


def read(content: bytes, file: str) -> Source:
    """The file's content with its places; what is wrong with the YAML itself is in `findings`."""
    source = Source(file)
    try:
        text = _text(content, source)
        # The breaks that YAML counts; str.splitlines knows more.
        source.lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
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
        seen = "; it looks like UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        source.error(_place_in(content[: error.start]), f"not UTF-8{seen}; save the file with the encoding UTF-8")
        raise _Refused from None
    if "\0" in text:
        before = text[: text.index("\0")].encode()
        wide = content[1:8:2] in (b"\0" * 4, b"\0" * 3) or content[:7:2] == b"\0" * 4
        seen = "the file looks like UTF-16; save it with the encoding UTF-8" if wide else "the file must be plain text"
        source.error(_place_in(before), f"a NUL character; {seen}")
        raise _Refused
    if strange := Reader.NON_PRINTABLE.search(text):  # the parser names no line for it
        before = text[: strange.start()].encode()
        source.error(_place_in(before), f"a control character ({strange[0]!r}); remove it")
        raise _Refused
    return text


def _place_in(before: bytes) -> Place:
    """The place after these bytes, which are UTF-8."""
    line = before.rpartition(b"\n")[2].decode("utf-8-sig", "replace")
    return Place(before.count(b"\n") + 1, len(line) + 1)


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
            kind = type(event)
            if kind in _NODES:
                self._node(event, stack)
            elif kind in _ENDS:
                stack.pop()
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._refuse(event, "a second document (---); one file is one brand")

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
            self._refuse(event, "a key must be one word or one text; a text that begins with { stands in quotes")
        key = event.value
        if "\0" in key:
            self._refuse(event, "a key with a NUL character in it; remove it")
        place = _start(event)
        first = self._source.keys.get((*path, key))
        if key == "<<" and event.implicit[0]:
            self._refuse(event, "<<: merge keys are not read; write the keys out")
        if key in mapping and first:
            self._source.marked((*path, key))
            self._source.doubled.add((*path, key))
            self._source.error(place, f"{key[:60]}: duplicate key; it stands in line {first.line} already")
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

    def _bounds(self, event: Any, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES:,} keys and values; split the brand")
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        if event.anchor:
            self._refuse(event, "anchors and aliases (& and *) are not read; write the value out, or put it in quotes")
        tag = None if isinstance(event, AliasEvent) else event.tag
        if tag and not tag.startswith("tag:yaml.org,2002:str"):
            self._refuse(event, "tags (!) are not read; put the text in quotes")

    def _refuse(self, event: Event, message: str) -> None:
        self._source.error(_start(event), message)
        raise _Refused


def _start(event: Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place()


def _place_of(error: yaml.YAMLError) -> Place:
    marks = ("context_mark", "problem_mark") if _unclosed(error) else ("problem_mark", "context_mark")
    mark = getattr(error, marks[0], None) or getattr(error, marks[1], None)
    return Place(mark.line + 1, mark.column + 1) if mark else Place()


def _unclosed(error: yaml.YAMLError) -> bool:
    """A quote without its end is found at the end of the file, and meant where it begins."""
    return "unexpected end of stream" in str(getattr(error, "problem", "")) and "quoted" in str(
        getattr(error, "context", "")
    )


def _sentence(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read as YAML"
    if _unclosed(error):
        problem = "a quote that is opened here is never closed; close it"
    elif "cannot start any token" in problem:
        problem = "a character that YAML reserves (a tab, @ or `); indent with spaces, put such text in quotes"
    elif "mapping values are not allowed" in problem:
        problem = "a second colon in the line; put the text in quotes"
    return f"syntax: {problem}"
