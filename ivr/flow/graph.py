"""The picture: a brand's call tree, from the numbers that are dialled to every way on, as Mermaid or DOT text."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ivr import numbers
from ivr.flow.model import (
    Branch,
    Exit,
    Flow,
    Menu,
    Recording,
    Spoken,
    ToGoodbye,
    ToMenu,
    ToNumber,
    ToQueue,
    ToSip,
    ToStudio,
    ToUrl,
)

LONGEST = 60  # characters of a prompt, or of any other line
_CAN_FAIL = (ToQueue, ToNumber, ToSip, ToStudio)  # the exits that a fallback is for

Kind = Literal["entry", "menu", "branch", "text", "person", "away"]
_MERMAID: Mapping[Kind, tuple[str, str]] = {
    "entry": ("([", "])"),
    "menu": ("{{", "}}"),
    "branch": ("[", "]"),
    "text": ("[/", "/]"),
    "person": ("[[", "]]"),
    "away": ("(", ")"),
}
_DOT: Mapping[Kind, str] = {
    "entry": "shape=oval",
    "menu": "shape=hexagon",
    "branch": "shape=box",
    "text": "shape=note",
    "person": "shape=box peripheries=2",
    "away": "shape=box style=rounded",
}
_PLAIN = frozenset(" .,!?'()+-/_…“”")  # beside letters and digits; Mermaid gets anything else by its number


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    kind: Kind
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    start: str
    end: str
    label: str = ""


@dataclass(slots=True)
class Graph:
    """The call tree, in the order in which a caller meets it. Menus may lead back, so it need not be a tree."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def add(self, kind: Kind, *lines: str) -> str:
        """A new node's id, which is made here: a name of the brand's could be a word of Mermaid's."""
        node = Node(f"n{len(self.nodes) + 1}", kind, lines)
        self.nodes.append(node)
        return node.id


def graph(flow: Flow) -> Graph:
    """What a caller can meet: numbers, menus, offers, the text, and who takes the call otherwise.

    A fallback is drawn where its `otherwise` can fail; a place that no number leads to has its URL as its entry.
    """
    drawn, reached = Graph(), dict[str, str]()
    entries = _entries(flow)
    doors = [(drawn.add("entry", _short(label)), name) for label, name in entries]
    for place in _walk(flow, [name for _, name in entries]):
        if isinstance(place, Menu):
            reached[place.name] = drawn.add("menu", place.name, _quoted(place.say))
        else:
            reached[place.name] = drawn.add("branch", place.name, _quoted(place.offer))
    drawn.edges += [Edge(door, reached[name]) for door, name in doors]
    for name in reached:
        _ways_on(drawn, _place(flow, name), reached)
    return drawn


def mermaid(drawn: Graph) -> str:
    """Mermaid's flowchart. Whatever the words are, a line is a node or an edge."""
    lines = ["flowchart TD"]
    for node in drawn.nodes:
        opened, closed = _MERMAID[node.kind]
        lines.append(f'  {node.id}{opened}"{"<br/>".join(map(_for_mermaid, node.lines))}"{closed}')
    for edge in drawn.edges:
        label = f'|"{_for_mermaid(edge.label)}"|' if edge.label else ""
        lines.append(f"  {edge.start} -->{label} {edge.end}")
    return "\n".join(lines) + "\n"


def dot(drawn: Graph) -> str:
    """Graphviz's DOT, the same nodes and edges."""
    lines = ["digraph {", '  node [fontname="Helvetica"]', '  edge [fontname="Helvetica"]']
    for node in drawn.nodes:
        label = r"\n".join(map(_for_dot, node.lines))
        lines.append(f'  {node.id} [label="{label}" {_DOT[node.kind]}]')
    for edge in drawn.edges:
        lines.append(f'  {edge.start} -> {edge.end} [label="{_for_dot(edge.label)}"]')
    return "\n".join([*lines, "}"]) + "\n"


def _entries(flow: Flow) -> list[tuple[str, str]]:
    """How callers come in, and to which place: by number, else by URL."""
    entries = [(numbers.full(number), place) for number, place in flow.numbers.items()]
    reached = {place.name for place in _walk(flow, [name for _, name in entries])}
    front = flow.entry.name if flow.entry else None
    for name in filter(None, (front, *flow.menus, *flow.branches)):
        if name not in reached:
            entries.append((f"/voice/{flow.id}" if name == front else f"/voice/{flow.id}/{name}", name))
            reached |= {place.name for place in _walk(flow, [name])}
    return entries


def _walk(flow: Flow, names: list[str]) -> Iterator[Menu | Branch]:
    """The places that are reached from `names`, each once, the nearest first."""
    waiting = deque(names)
    seen = set[str]()
    while waiting:
        name = waiting.popleft()
        if name not in seen:
            seen.add(name)
            place = _place(flow, name)
            yield place
            waiting += _onward(place)


def _place(flow: Flow, name: str) -> Menu | Branch:
    place = flow.place(name)
    assert place is not None  # a frozen flow has no target that is not there
    return place


def _onward(place: Menu | Branch) -> Iterator[str]:
    if isinstance(place, Menu):
        yield from place.press.values()
    ways = [*_exits(place), *(_exits(closed) if (closed := _closed(place)) else ())]
    yield from (way.name for _, way in ways if isinstance(way, ToMenu))


def _exits(place: Menu | Branch) -> Iterator[tuple[str, Exit]]:
    yield "otherwise", place.otherwise
    if place.fallback and isinstance(place.otherwise, _CAN_FAIL):
        yield "fallback", place.fallback


def _closed(place: Menu | Branch) -> Branch | None:
    """The branch out of hours, where it is another one then."""
    return place.closed if isinstance(place, Branch) else None


def _ways_on(drawn: Graph, place: Menu | Branch, reached: Mapping[str, str]) -> None:
    here = reached[place.name]
    if isinstance(place, Menu):
        drawn.edges += [Edge(here, reached[target], key) for key, target in place.press.items()]
    else:
        greeting = drawn.add("text", "text", _quoted(place.greeting))
        drawn.edges.append(Edge(here, greeting, ", ".join(place.choices) or place.accept))
        if place.other_number:
            drawn.edges.append(Edge(here, greeting, f"{place.other_number}, to another number"))
    _leave(drawn, here, _exits(place), reached)
    closed = _closed(place)
    if isinstance(place, Branch) and closed:
        if closed.greeting != place.greeting:
            drawn.edges.append(
                Edge(here, drawn.add("text", "text", _quoted(closed.greeting)), f"{place.accept}, closed")
            )
        if closed.otherwise != place.otherwise:
            _leave(drawn, here, ((f"{label}, closed", way) for label, way in _exits(closed)), reached)


def _leave(drawn: Graph, here: str, exits: Iterable[tuple[str, Exit]], reached: Mapping[str, str]) -> None:
    for label, way in exits:
        end = reached[way.name] if isinstance(way, ToMenu) else drawn.add(*_shown(way))
        drawn.edges.append(Edge(here, end, label))
        here = end  # the fallback follows on the exit that failed


def _shown(way: Exit) -> tuple[Kind, *tuple[str, ...]]:
    match way:
        case ToQueue(name):
            return "person", _short(f"queue {name}")
        case ToNumber(number):
            return "person", f"dial {numbers.full(number)}"
        case ToSip(address):
            return "person", _short(f"dial {address}")
        case ToUrl(url):
            return "away", _short(f"redirect {url}")
        case ToGoodbye(spoken):
            return "away", "say and hang up", _quoted(spoken)
        case ToStudio() | ToMenu():  # a menu is a node of its own
            return "away", "studio return"


def _quoted(spoken: Spoken) -> str:
    """The words as the file has them, with what the call fills in by its name."""
    if isinstance(spoken, Recording):
        return _short(f"plays {spoken.url}")
    return f"“{_short(spoken.source or spoken.text)}”"


def _short(text: str) -> str:
    """One line of it, cut after a word; what cannot be printed is a space."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if len(line) <= LONGEST:
        return line
    cut = line[: LONGEST - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


def _for_mermaid(line: str) -> str:
    return "".join(letter if letter.isalnum() or letter in _PLAIN else f"#{ord(letter)};" for letter in line)


def _for_dot(line: str) -> str:
    return line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
