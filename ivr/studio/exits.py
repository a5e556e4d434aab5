"""Exits: the ways on of a menu or branch as Studio's widgets, and what follows where they fail."""

from dataclasses import dataclass
from typing import Any

from ivr.flow.model import (
    Branch,
    Exit,
    Flow,
    Menu,
    ToGoodbye,
    ToMenu,
    ToNumber,
    ToQueue,
    ToSip,
    ToStudio,
    ToUrl,
)
from ivr.studio.canvas import Canvas
from ivr.studio.carried import Losses, Path, path_of
from ivr.studio.sayings import CALLER, said

NOBODY, GOODBYE = "nobody", "goodbye"
_RINGS = 30  # seconds, as Twilio's own <Dial>


def named(role: str, place: str) -> str:
    """A state's name. A place's has no _, so that no two are one; Liquid wants no dash."""
    return f"{role}_{place.replace('-', '_')}"


@dataclass(frozen=True, slots=True)
class Exits:
    flow: Flow
    canvas: Canvas
    losses: Losses

    def put(self, place: Menu | Branch) -> str:
        """The first state of a place's `otherwise`."""
        return self._put(place, place.otherwise, "otherwise")

    def nobody(self) -> str:
        if NOBODY not in self.canvas.states:
            self.say(NOBODY, "nobody")
        return NOBODY

    def say(self, name: str, phrase: str, leads: str = "") -> str:
        """A state that says one of the brand's phrases."""
        words = said(self.flow, self.flow.phrases[phrase], self.losses, ("phrases", phrase))
        return self.canvas.put(name, "say-play", {"audioComplete": leads}, **words, loop=1)

    def _put(self, place: Menu | Branch, way: Exit, role: str) -> str:
        name = named(role, place.name)
        match way:
            case ToQueue(queue):
                failed = self._failed(place, role)
                ways = {"callComplete": "", "failedToEnqueue": failed, "callFailure": failed}
                return self.canvas.put(name, "enqueue-call", ways, queue_name=queue)
            case ToNumber(number):
                return self._dial(place, role, noun="number", to=number, caller_id=CALLER)
            case ToSip(address):
                return self._dial(place, role, noun="sip", sip_endpoint=address, caller_id=CALLER)
            case ToUrl(url):
                failed = self._failed(place, role)
                ways = dict.fromkeys(("return", "timeout", "fail"), failed)
                return self.canvas.put(name, "add-twiml-redirect", ways, url=url, method="POST", timeout="14400")
            case ToGoodbye(spoken):
                words = said(self.flow, spoken, self.losses, (*self._path(place, role), "say"))
                return self.canvas.put(name, "say-play", {"audioComplete": ""}, **words, loop=1)
            case ToMenu(menu):
                return named("enter", menu)
            case ToStudio():
                self.losses.add(
                    self._path(place, role), "studio: return: here is no flow to return to; what follows it does"
                )
                return self._failed(place, role)

    def _dial(self, place: Menu | Branch, role: str, **properties: Any) -> str:
        """Whether anybody answered is asked after the call; who hung up first needs nothing more."""
        name, after = named(role, place.name), named(f"ended_{role}", place.name)
        asked = f"{{{{widgets.{name}.DialCallStatus}}}}"
        self.canvas.put(
            name, "connect-call-to", {"callCompleted": after, "hangup": ""}, **properties, record=False, timeout=_RINGS
        )
        self.canvas.split(after, asked, {"completed,answered": ""}, self._failed(place, role), "matches_any_of")
        return name

    def _failed(self, place: Menu | Branch, role: str) -> str:
        if role == "otherwise" and place.fallback is not None:
            return self._put(place, place.fallback, "fallback")
        return self.nobody()

    def _path(self, place: Menu | Branch, role: str) -> Path:
        return (*path_of(place), role)
