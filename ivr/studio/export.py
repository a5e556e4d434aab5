"""The export: a brand's menus and branches as one Studio flow, deflected by this server or by Studio alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ivr.flow.model import Branch, Exit, Flow, Menu, ToMenu
from ivr.studio import native
from ivr.studio.canvas import TRIGGER, Canvas
from ivr.studio.carried import Losses, Path, path_of
from ivr.studio.exits import GOODBYE, Exits, named
from ivr.studio.questions import Question, ask
from ivr.studio.shape import MOST_STATES

Way = Literal["redirect", "native"]
WAYS: tuple[Way, ...] = get_args(Way)
REDIRECT_URL = "{server}/voice/{brand}/{branch}?flow={{{{flow.flow_sid}}}}&exec={{{{flow.sid}}}}"
_FOUR_HOURS = "14400"


class CannotExport(Exception):
    """One sentence for a person."""


@dataclass(frozen=True, slots=True)
class Export:
    definition: dict[str, Any]
    losses: tuple[tuple[Path, str], ...]  # what it cannot do, with the path in the brand's file


def export(flow: Flow, way: Way, server: str, only: str = "") -> Export:
    """`only`: the one menu or branch that it enters. `server`: scheme and host of this server, for redirects."""
    canvas, losses = Canvas(), Losses()
    exits = Exits(flow, canvas, losses)
    entries = _entries(flow, only)
    canvas.put(TRIGGER, "trigger", {})
    for name in _reached(flow, list(dict.fromkeys(entries.values()))):
        place = flow.place(name)
        if isinstance(place, Menu):
            _menu(exits, place)
        elif place is not None and way == "redirect":
            _redirected(exits, place, server)
        elif place is not None:
            native.put(exits, place)
    _trigger(canvas, entries)
    if len(canvas.states) > MOST_STATES:
        raise CannotExport(
            f"{only or flow.id} would be {len(canvas.states):,} widgets; a flow has {MOST_STATES:,} at most. "
            "Export its branches one by one, or --as redirect, which needs fewer"
        )
    title = f"{flow.name}, {only}" if only else flow.name
    return Export(canvas.definition(f"{title}: written by ivr studio export --as {way}"), tuple(losses))


def _entries(flow: Flow, only: str) -> Mapping[str, str]:
    """Dialled number to the place that it enters; "" is every other number."""
    if only:
        if flow.place(only) is None:
            there = ", ".join([*flow.menus, *flow.branches])
            raise CannotExport(f"{only}: no such branch or menu; there are: {there}")
        return {"": only}
    front = flow.entry.name if flow.entry else next(iter(flow.numbers.values()), None)
    if front is None:
        raise CannotExport(f"{flow.id} has neither numbers nor a menu; name one of: {', '.join(flow.branches)}")
    elsewhere = {number: place for number, place in flow.numbers.items() if place != front}
    return {**elsewhere, "": front} if len(elsewhere) < len(flow.numbers) else _all_elsewhere(elsewhere, front)


def _all_elsewhere(numbers: Mapping[str, str], front: str) -> Mapping[str, str]:
    """No number enters the front: where all enter one place, that is the flow's only entry."""
    places = set(numbers.values())
    return {"": places.pop()} if len(places) == 1 else {**numbers, "": front}


def _reached(flow: Flow, names: list[str]) -> list[str]:
    """The places that are reached from these, in the order of the brand's file."""
    seen, waiting = set[str](), names
    while waiting:
        name = waiting.pop()
        place = flow.place(name)
        if name not in seen and place is not None:
            seen.add(name)
            ways: list[Exit | None] = [place.otherwise, place.fallback]
            waiting += place.press.values() if isinstance(place, Menu) else ()
            waiting += (way.name for way in ways if isinstance(way, ToMenu))
    return [name for name in (*flow.menus, *flow.branches) if name in seen]


def _trigger(canvas: Canvas, entries: Mapping[str, str]) -> None:
    front = named("enter", entries[""])
    cases = {number: named("enter", place) for number, place in entries.items() if number}
    first = canvas.split("dialled", "{{trigger.call.To}}", cases, front) if cases else front
    ways = {
        "incomingMessage": "",
        "incomingCall": first,
        "incomingConversationMessage": "",
        "incomingRequest": "",
        "incomingParent": first,
    }
    canvas.put(TRIGGER, "trigger", ways)


def _menu(exits: Exits, menu: Menu) -> None:
    leave = exits.put(menu)
    keys = {key: named("enter", target) for key, target in menu.press.items()}
    question = Question(menu, menu.say, (*path_of(menu), "say"), keys, leave, leave, patient=True)
    ask(exits.flow, exits.canvas, exits.losses, question)


def _redirected(exits: Exits, branch: Branch, server: str) -> None:
    """One widget leads to this server and, whatever happens there, comes back; `result` says what became of it."""
    name, back = named("enter", branch.name), named("back", branch.name)
    leave = exits.put(branch)
    url = REDIRECT_URL.format(server=server, brand=exits.flow.id, branch=branch.name)
    ways = {"return": back, "timeout": leave, "fail": leave}
    exits.canvas.put(name, "add-twiml-redirect", ways, url=url, method="POST", timeout=_FOUR_HOURS)
    exits.canvas.split(back, f"{{{{widgets.{name}.result}}}}", {"accepted": exits.say(GOODBYE, "goodbye")}, leave)
    if branch.closed and branch.closed.otherwise != branch.otherwise:
        message = "out of hours too the flow goes on as when open; this server says the offer of `closed` itself"
        exits.losses.add((*path_of(branch), "closed", "otherwise"), message)
