"""The drawing: a definition as an SVG, its widgets where the Console's canvas has them. Nothing else draws it."""

from collections.abc import Collection, Mapping
from html import escape
from typing import Any

from ivr.studio.states import State, states

_WIDE, _HIGH, _EDGE = 180, 54, 20  # pixels: of a widget, and around all of them
_SCALE = 0.62  # of the canvas's own units
_OUT = 200  # for what leads out of the picture
_MOST = 30  # letters on a line
_STYLE = (
    "text{font:12px sans-serif;fill:#1c2333}.type{font-size:10px;fill:#5b6472}.way{font-size:10px;fill:#0b5cad}"
    "rect{fill:#fff;stroke:#5b6472;rx:6}path{fill:none;stroke:#5b6472}"
)
Point = tuple[float, float]


def svg(definition: Any, only: Collection[str] = ()) -> str:
    """`only`: the names of the states that are drawn; of ways that lead elsewhere the names."""
    drawn = [state for state in states(definition) if not only or state.name in only]
    places = _places(drawn)
    ways = [line for state in drawn for line in _ways(state, places)]
    boxes = [line for state in drawn for line in _box(state, places[state.name])]
    width = max(x for x, _ in places.values()) + _WIDE + (_OUT if only else _EDGE)
    height = max(y for _, y in places.values()) + _HIGH + _EDGE * 2
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" role="img">',
        f"<title>{escape(str(definition.get('description') or 'A Studio flow'))}</title>",
        f'<style>{_STYLE}</style><rect width="100%" height="100%" style="fill:#f6f8fa;stroke:none"/>',
        '<defs><marker id="end" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0L8,4L0,8z" style="fill:#5b6472"/></marker></defs>',
    )
    return "\n".join((*head, *ways, *boxes, "</svg>")) + "\n"


def _places(drawn: list[State]) -> dict[str, Point]:
    """Where each widget's corner is; the leftmost and topmost are at the edge."""
    found = {state.name: _offset(state) for state in drawn}
    left, top = (min(point[axis] for point in found.values()) for axis in (0, 1))
    return {name: (x - left + _EDGE, y - top + _EDGE) for name, (x, y) in found.items()}


def _offset(state: State) -> Point:
    offset = state.properties.get("offset")
    x, y = ((offset.get(axis, 0) if isinstance(offset, Mapping) else 0) for axis in ("x", "y"))
    return float(x) * _SCALE, float(y) * _SCALE


def _box(state: State, corner: Point) -> tuple[str, ...]:
    x, y = corner
    lines = ((18, "", state.name), (32, "type", state.type), (46, "type", _said(state)))
    texts = (
        f'<text x="{x + 8:.0f}" y="{y + down:.0f}" class="{kind}">{escape(_short(line))}</text>'
        for down, kind, line in lines
        if line
    )
    return (f'<rect x="{x:.0f}" y="{y:.0f}" width="{_WIDE}" height="{_HIGH}"/>', *texts)


def _said(state: State) -> str:
    for key in ("say", "body", "queue_name", "to", "url", "input"):
        if value := state.properties.get(key):
            return str(value)
    return ""


def _ways(state: State, places: Mapping[str, Point]) -> list[str]:
    """A line to each state that follows, with all the events that lead there."""
    events: dict[str, list[str]] = {}
    for at, event, leads in state.ways:
        conditions = state.transitions[at].get("conditions") if event == "match" else None
        label = str(conditions[0].get("value")) if conditions else event
        if leads:
            events.setdefault(leads, []).append(label)
    return [_way(places[state.name], places.get(leads), leads, ", ".join(labels)) for leads, labels in events.items()]


def _way(start: Point, end: Point | None, leads: str, label: str) -> str:
    x, y = start[0] + _WIDE / 2, start[1] + _HIGH
    if end is None:  # to a state that is not drawn
        text = f'<text x="{start[0] + _WIDE + 6:.0f}" y="{start[1] + _HIGH / 2:.0f}" class="way">'
        return f"{text}{escape(label)} → {escape(leads)}</text>"
    if end[1] == start[1] and end != start:  # beside it
        right = end[0] > start[0]
        x, y = start[0] + (_WIDE if right else 0), start[1] + _HIGH / 2
        to = end[0] + (-2 if right else _WIDE + 2)
        return _line(f"M{x:.0f},{y:.0f}L{to:.0f},{y:.0f}", (min(x, to) + 4, y - 6), label)
    to_x, to_y = end[0] + _WIDE / 2, end[1] - 2
    bend = max(abs(to_y - y) / 2, 30)
    line = f"M{x:.0f},{y:.0f}C{x:.0f},{y + bend:.0f} {to_x:.0f},{to_y - bend:.0f} {to_x:.0f},{to_y:.0f}"
    return _line(line, ((x + to_x) / 2 + 4, (y + to_y) / 2), label)


def _line(path: str, at: Point, label: str) -> str:
    text = f'<text x="{at[0]:.0f}" y="{at[1]:.0f}" class="way">{escape(label)}</text>'
    return f'<path d="{path}" marker-end="url(#end)"/>{text}'


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
