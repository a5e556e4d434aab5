"""The engine: where a call is and what was heard there -> what is said and done next. Pure."""

from dataclasses import dataclass
from typing import Literal

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
from ivr.flow.script import (
    Dial,
    Enqueue,
    GoOut,
    GoTo,
    HangUp,
    Listen,
    ReturnToStudio,
    Role,
    Script,
    Speak,
    Step,
    Wait,
)

# Twilio's QueueResult and DialCallStatus after which the caller has had a person, or is gone.
DONE = {
    "queued": frozenset({"bridged", "bridging-in-process", "hangup", "leave", "redirected", "redirected-from-bridged"}),
    "dialled": frozenset({"completed", "answered"}),
}

# What became of the text, as far as it is known while the caller listens.
Text = Literal["sent", "pending", "refused", "delivered", "unknown"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What Twilio reported at a step."""

    key: str = ""  # the first key pressed; "" is silence
    result: str = ""  # QueueResult or DialCallStatus
    gone: bool = False  # the call has ended; nobody hears the answer
    from_studio: bool = False
    text: Text = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    script: Script
    offers: Branch | None = None  # this plays the branch's offer for the first time
    accepts: Branch | None = None  # the caller said yes: send the text, then ask `texted` what to say


def enter(flow: Flow, place: Menu | Branch, heard: Heard) -> Answer:
    """The first words of a menu, or of a branch: its offer."""
    if isinstance(place, Menu):
        return Answer(_menu(flow, place, 1, heard))
    return Answer(_offer(flow, place, 1, heard), offers=place)


def answer(flow: Flow, step: Step, heard: Heard) -> Answer:
    """What follows on `heard` at `step`. A step that a deploy took away leads on to a person."""
    place = flow.place(step.place)
    if step.name in DONE and (heard.gone or heard.result in DONE[step.name]):
        return Answer((HangUp(),))
    if place is None:
        return Answer(lost(flow, heard))
    if not step.name:
        return enter(flow, place, heard)
    if step.name in DONE:
        return Answer(_exit_failed(flow, place, step.role, heard))
    if isinstance(place, Menu):
        return _chosen(flow, place, step, heard) if step.name == "choose" else Answer(_otherwise(flow, place, heard))
    if step.name == "answer":
        return _answered(flow, place, step, heard)
    if step.name == "confirm":
        return Answer(_confirmed(flow, place, heard))
    if step.name == "arrived":
        return Answer(_arrived(flow, place, step, heard))
    return Answer(_otherwise(flow, place, heard))


def texted(flow: Flow, branch: Branch, heard: Heard) -> Script:
    """What the caller hears right after saying yes; `heard.text` is what became of the text."""
    if heard.text == "refused":
        return _could_not(flow, branch, heard)
    if heard.text == "delivered":
        return _goodbye(flow)
    phrase = flow.phrases["sent" if heard.text == "sent" else "on_its_way"]
    return Speak(phrase), Wait(branch.confirm), GoTo(Step(branch.name, "confirm"))


def lost(flow: Flow, heard: Heard) -> Script:
    """A caller at a place that is not there (any more): on to a person by the entry's `otherwise`."""
    if heard.from_studio:
        return (ReturnToStudio("error", "unknown_place"),)
    place = flow.entry or next(iter(flow.branches.values()))
    return _otherwise(flow, place, heard)


def to_a_person(flow: Flow, name: str, heard: Heard) -> Script:
    """The way out of the place `name`, for when nothing else can be said."""
    place = flow.place(name)
    return _otherwise(flow, place, heard) if place else lost(flow, heard)


def _menu(flow: Flow, menu: Menu, attempt: int, heard: Heard) -> Script:
    """The prompt as often as it is still to be played, then the way on: silence needs no further request."""
    prompts = [
        Listen(menu.say, menu.wait, Step(menu.name, "choose", number)) for number in range(attempt, menu.tries + 1)
    ]
    return *prompts, *_otherwise(flow, menu, heard, "silent")


def _chosen(flow: Flow, menu: Menu, step: Step, heard: Heard) -> Answer:
    target = flow.place(menu.press.get(heard.key, ""))
    if target is not None:
        return enter(flow, target, heard)
    if step.attempt >= menu.tries:
        return Answer(_otherwise(flow, menu, heard))
    apology = (Speak(flow.phrases["wrong_key"]),) if heard.key else ()
    return Answer((*apology, *_menu(flow, menu, step.attempt + 1, heard)))


def _offer(flow: Flow, branch: Branch, attempt: int, heard: Heard) -> Script:
    listen = Listen(branch.offer, branch.wait, Step(branch.name, "answer", attempt))
    return listen, *_otherwise(flow, branch, heard, "silent")


def _answered(flow: Flow, branch: Branch, step: Step, heard: Heard) -> Answer:
    if heard.key == branch.accept:
        return Answer((), accepts=branch)
    if not heard.key:
        return Answer(_otherwise(flow, branch, heard, "silent"))
    if step.attempt >= branch.tries:
        return Answer(_otherwise(flow, branch, heard))
    return Answer((Speak(flow.phrases["wrong_key"]), *_offer(flow, branch, step.attempt + 1, heard)))


def _confirmed(flow: Flow, branch: Branch, heard: Heard) -> Script:
    if heard.text == "refused":
        return _could_not(flow, branch, heard)
    if heard.text == "delivered":
        return _goodbye(flow)
    if heard.text == "unknown":  # no text was ever promised here
        return _otherwise(flow, branch, heard)
    return _ask_whether_it_arrived(flow, branch, 1)


def _ask_whether_it_arrived(flow: Flow, branch: Branch, attempt: int) -> Script:
    listen = Listen(flow.phrases["not_arrived"], branch.wait, Step(branch.name, "arrived", attempt))
    return listen, *_goodbye(flow)


def _arrived(flow: Flow, branch: Branch, step: Step, heard: Heard) -> Script:
    if not heard.key:
        return _goodbye(flow)
    if heard.key == branch.accept or step.attempt >= branch.tries:
        return _otherwise(flow, branch, heard, "failed", "not_arrived")
    return Speak(flow.phrases["wrong_key"]), *_ask_whether_it_arrived(flow, branch, step.attempt + 1)


def _goodbye(flow: Flow) -> Script:
    return Speak(flow.phrases["goodbye"]), HangUp()


def _could_not(flow: Flow, branch: Branch, heard: Heard) -> Script:
    return Speak(flow.phrases["cannot_text"]), *_otherwise(flow, branch, heard, "failed", "cannot_text")


def _exit_failed(flow: Flow, place: Menu | Branch, role: Role, heard: Heard) -> Script:
    if role == "otherwise" and place.fallback is not None:
        return _leave(flow, place, place.fallback, "fallback", heard, "failed", "nobody")
    return _nobody(flow)


def _nobody(flow: Flow) -> Script:
    return Speak(flow.phrases["nobody"]), HangUp()


def _otherwise(flow: Flow, place: Menu | Branch, heard: Heard, result: str = "declined", reason: str = "key") -> Script:
    return _leave(flow, place, place.otherwise, "otherwise", heard, result, reason)


def _leave(flow: Flow, place: Menu | Branch, way: Exit, role: Role, heard: Heard, result: str, reason: str) -> Script:
    match way:
        case ToQueue(name):
            return (Enqueue(name, Step(place.name, "queued", role=role)),)
        case ToNumber() | ToSip():
            return (Dial(way, Step(place.name, "dialled", role=role)),)
        case ToUrl(url):
            return (GoOut(url),)
        case ToMenu(name):
            return (GoTo(Step(name)),)
        case ToGoodbye(spoken):
            return Speak(spoken), HangUp()
        case ToStudio():
            if heard.from_studio:
                return (ReturnToStudio(result, "" if result == "silent" else reason),)
            return _exit_failed(flow, place, role, heard)
