"""The engine: where a call is and what was heard there -> what is said and done next. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from ivr import numbers
from ivr.flow import offered
from ivr.flow.model import Branch, Exit, Flow, Menu, ToGoodbye, ToMenu, ToNumber, ToQueue, ToSip, ToStudio, ToUrl
from ivr.flow.script import Dial, Enqueue, GoOut, GoTo, HangUp, Listen, ReturnToStudio, Role, Script, Speak, Step, Wait
from ivr.flow.way_out import way_out

# Twilio's QueueResult and DialCallStatus after which the caller has had a person, or is gone.
DONE = {
    "queued": frozenset({"bridged", "bridging-in-process", "hangup", "leave", "redirected", "redirected-from-bridged"}),
    "dialled": frozenset({"completed", "answered"}),
}

# Steps by which a call leaves that came from Studio, where a prompt was not answered: result and reason.
UNHEARD = {"silent": ("silent", ""), "failed": ("failed", "cannot_text")}

# What became of the text, as far as it is known while the caller listens. refused: this number gets none. unable: no
# number would. needed: there is no number yet. unknown: none was promised.
Text = Literal["sent", "pending", "delivered", "refused", "unable", "needed", "unknown"]

RIGHT, AGAIN = "1", "2"  # the keys after a number was read back, as the phrase confirm_number says them


@dataclass(frozen=True, slots=True)
class Heard:
    """What Twilio reported at a step."""

    key: str = ""  # the first key pressed; "" is silence
    digits: str = ""  # every key pressed, where a number was asked for
    result: str = ""  # QueueResult or DialCallStatus
    gone: bool = False  # the call has ended; nobody hears the answer
    from_studio: bool = False
    text: Text = "unknown"
    number: str = ""  # E.164, keyed in: where the text goes, or would; "" is the caller's own
    channel: str = "sms"  # by which the text goes
    region: str = ""  # of the number that was dialled: where a number keyed in without a country code is most likely
    outdated: bool = False  # the key was about a number that was keyed in before `number`
    now: datetime | None = None  # unless said, everything is open
    held_back: Collection[str] = ()  # the branches whose offer this caller does not hear


@dataclass(frozen=True, slots=True)
class Answer:
    script: Script
    offers: Branch | None = None  # this plays the branch's offer for the first time
    withholds: Branch | None = None  # this would have, and the caller is in the control group of its `share`
    accepts: Branch | None = None  # the caller said yes: send the text, then ask `texted` what to say
    enters: str | None = None  # E.164, keyed in: to be kept until it is confirmed
    confirms: Branch | None = None  # the number that was keyed in is right: as `accepts`


def enter(flow: Flow, place: Menu | Branch, heard: Heard) -> Answer:
    """The first words of a menu, or of a branch: its offer."""
    place = offered.entered(place, heard.now)
    if isinstance(place, Menu):
        return Answer(_menu(flow, place, 1, heard))
    if place.name in heard.held_back:
        return Answer(_otherwise(flow, place, heard, "declined", "share"), withholds=place)
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
    place = offered.held(place, step.until, heard.now)
    if step.name in DONE:
        return Answer(_exit_failed(flow, place, step.role, heard))
    if step.name in UNHEARD:
        return Answer(_otherwise(flow, place, heard, *UNHEARD[step.name]))
    if isinstance(place, Menu):
        return _chosen(flow, place, step, heard) if step.name == "choose" else _strange(flow, place, heard)
    step_of = {
        "answer": _answered,
        "number": _numbered,
        "right": _read_back,
        "confirm": _confirmed,
        "arrived": _arrived,
    }
    known = step_of.get(step.name)
    return known(flow, place, step, heard) if known else _strange(flow, place, heard)


def _strange(flow: Flow, place: Menu | Branch, heard: Heard) -> Answer:
    return Answer(_otherwise(flow, place, heard, "error", "unknown_step"))


def texted(flow: Flow, branch: Branch, asked: int, heard: Heard) -> Script:
    """What the caller hears right after saying yes; `heard.text` is what became of the text.

    `asked`: how often a number was asked for so far.
    """
    if heard.text == "unknown":  # no text was ever promised here
        return _otherwise(flow, branch, heard, "error", "unknown_step")
    if heard.text in ("refused", "unable", "needed"):
        return _could_not(flow, branch, asked, heard)
    if heard.text == "delivered":
        return _goodbye(flow, heard)
    then = replace(_step(branch, "confirm", asked + 1), channel=heard.channel)
    return _promise(flow, heard), Wait(branch.confirm), GoTo(then)


def _promise(flow: Flow, heard: Heard) -> Speak:
    """That the text is sent, or on its way, in the words of its channel where that has words of its own."""
    name = "on_its_way" if heard.text == "pending" else "sent"
    return Speak(flow.phrases.get(f"{name}_{heard.channel}") or flow.phrases[name], heard.number)


def what_became(flow: Flow, step: Step, heard: Heard) -> Script:
    """As `texted`, at a step of the branch."""
    branch = offered.held(flow.branches[step.place], step.until, heard.now)
    assert isinstance(branch, Branch)  # a branch's name
    return texted(flow, branch, step.attempt, heard)


def lost(flow: Flow, heard: Heard) -> Script:
    """A caller at a place that is not there (any more): on to a person by the entry's `otherwise`."""
    if heard.from_studio:
        return (ReturnToStudio("error", "unknown_place"),)
    place = flow.entry or next(iter(flow.branches.values()))
    return _otherwise(flow, offered.entered(place, heard.now), heard)


def to_a_person(flow: Flow, step: Step, heard: Heard) -> Script:
    """The way out of the place where the call is, and of all menus, for when nothing else can be said."""
    place = flow.place(step.place)
    if place is None:
        return lost(flow, heard)
    as_it_is = offered.held(place, step.until, heard.now) if step.name else offered.entered(place, heard.now)
    out = as_it_is if heard.from_studio else way_out(flow, as_it_is, heard.now)
    return _otherwise(flow, out, heard, "error", "server") if out else (Speak(flow.phrases["nobody"]), HangUp())


def _step(place: Menu | Branch, name: str, attempt: int = 1, role: Role = "otherwise") -> Step:
    return Step(place.name, name, attempt, role, place.until if isinstance(place, Branch) else None)


def _menu(flow: Flow, menu: Menu, attempt: int, heard: Heard) -> Script:
    """The prompt as often as it is still to be played, then the way on: silence needs no further request."""
    prompts = [Listen(menu.say, menu.wait, _step(menu, "choose", number)) for number in range(attempt, menu.tries + 1)]
    return *prompts, *_unheard(flow, menu, heard, "silent")


def _chosen(flow: Flow, menu: Menu, step: Step, heard: Heard) -> Answer:
    target = flow.place(menu.press.get(heard.key, ""))
    if target is not None:
        return enter(flow, target, heard)
    if step.attempt >= menu.tries:
        return Answer(_otherwise(flow, menu, heard, "declined" if heard.key else "silent"))
    apology = (Speak(flow.phrases["wrong_key"]),) if heard.key else ()
    return Answer((*apology, *_menu(flow, menu, step.attempt + 1, heard)))


def _offer(flow: Flow, branch: Branch, attempt: int, heard: Heard) -> Script:
    listen = Listen(branch.offer, branch.wait, _step(branch, "answer", attempt))
    return listen, *_unheard(flow, branch, heard, "silent")


def _answered(flow: Flow, branch: Branch, step: Step, heard: Heard) -> Answer:
    if heard.key and heard.key in (branch.accept, branch.other_number, *branch.choices):
        return Answer((), accepts=branch)
    if not heard.key:
        return Answer(_otherwise(flow, branch, heard, "silent"))
    if step.attempt >= branch.tries:
        return Answer(_otherwise(flow, branch, heard))
    return Answer((Speak(flow.phrases["wrong_key"]), *_offer(flow, branch, step.attempt + 1, heard)))


def _confirmed(flow: Flow, branch: Branch, step: Step, heard: Heard) -> Answer:
    moved = heard.channel != step.channel  # that one failed, and the next has it: not what the caller was told
    if moved and heard.text == "delivered":
        return Answer((_promise(flow, heard), *_goodbye(flow, heard)))
    if heard.text in ("sent", "pending") and not moved:
        return Answer(_ask_whether_it_arrived(flow, branch, 1))
    return Answer(texted(flow, branch, step.attempt - 1, heard))


def _ask_whether_it_arrived(flow: Flow, branch: Branch, attempt: int) -> Script:
    listen = Listen(flow.phrases["not_arrived"], branch.wait, _step(branch, "arrived", attempt))
    return listen, GoTo(_step(branch, "arrived", attempt))  # the row is read once more before the goodbye


def _arrived(flow: Flow, branch: Branch, step: Step, heard: Heard) -> Answer:
    if heard.text in ("refused", "unable"):
        return Answer(_could_not(flow, branch, 1 if heard.number else 0, heard))
    if not heard.key:
        return Answer(_goodbye(flow, heard))
    if heard.key == branch.accept or step.attempt >= branch.tries:
        return Answer(_otherwise(flow, branch, heard, "failed", "not_arrived"))
    return Answer((Speak(flow.phrases["wrong_key"]), *_ask_whether_it_arrived(flow, branch, step.attempt + 1)))


def _goodbye(flow: Flow, heard: Heard) -> Script:
    if heard.from_studio:  # whether the call ends is for the flow to say
        promised = heard.text in ("sent", "pending", "delivered")
        return (ReturnToStudio("accepted", heard.text) if promised else ReturnToStudio("error", "unknown_step"),)
    return Speak(flow.phrases["goodbye"]), HangUp()


def _could_not(flow: Flow, branch: Branch, asked: int, heard: Heard) -> Script:
    """The text goes nowhere as it is: ask for another number where one could help, as often as the branch tries."""
    said = () if heard.text == "needed" else (Speak(flow.phrases["cannot_text"], heard.number),)
    if heard.text == "unable":
        return *said, *_otherwise(flow, branch, heard, "failed", "cannot_text")
    return *said, *_ask_number(flow, branch, asked + 1, heard)


def _ask_number(flow: Flow, branch: Branch, attempt: int, heard: Heard) -> Script:
    """The question as often as it is still to be asked, then the way on, as in `_menu`."""
    asks = [
        Listen(flow.phrases["ask_number"], branch.wait, _step(branch, "number", this), digits=True)
        for this in range(attempt, branch.tries + 1)
    ]
    return *asks, *_unheard(flow, branch, heard, "failed")


def _begin_again(flow: Flow, branch: Branch, step: Step, heard: Heard) -> Script:
    """Whoever asks for it is asked once more, however often: that they may was said to them."""
    return _ask_number(flow, branch, min(step.attempt + 1, branch.tries), heard)


def _numbered(flow: Flow, branch: Branch, step: Step, heard: Heard) -> Answer:
    likely_first = sorted(branch.regions, key=lambda region: region != heard.region)
    number = numbers.keyed(heard.digits, likely_first)
    if number is None and heard.digits.endswith("*"):
        return Answer(_begin_again(flow, branch, step, heard))
    if number is None:
        said = (Speak(flow.phrases["wrong_number"]),) if heard.digits else ()
        return Answer((*said, *_ask_number(flow, branch, step.attempt + 1, heard)))
    return Answer(_read_number(flow, branch, step.attempt, number.e164, heard), enters=number.e164)


def _read_number(flow: Flow, branch: Branch, attempt: int, number: str, heard: Heard) -> Script:
    """Read back what was keyed in, digit by digit; nothing is sent to a number that nobody confirmed."""
    confirms = [
        Listen(flow.phrases["confirm_number"], branch.wait, _step(branch, "right", this), number)
        for this in range(attempt, branch.tries + 1)
    ]
    return *confirms, *_unheard(flow, branch, heard, "failed")


def _read_back(flow: Flow, branch: Branch, step: Step, heard: Heard) -> Answer:
    if heard.text != "unknown" or not heard.number:
        return Answer(texted(flow, branch, step.attempt, heard))
    if heard.outdated:
        return Answer(_read_number(flow, branch, step.attempt, heard.number, heard))
    if heard.key == RIGHT:
        return Answer((), confirms=branch)
    if heard.key == AGAIN:
        return Answer(_begin_again(flow, branch, step, heard))
    if step.attempt >= branch.tries:
        return Answer(_otherwise(flow, branch, heard, "failed", "cannot_text"))
    wrong = Speak(flow.phrases["wrong_key"])
    return Answer((wrong, *_read_number(flow, branch, step.attempt + 1, heard.number, heard)))


def _exit_failed(flow: Flow, place: Menu | Branch, role: Role, heard: Heard) -> Script:
    if role == "otherwise" and place.fallback is not None and not heard.from_studio:
        return _leave(flow, place, place.fallback, "fallback", heard, "failed", "nobody")
    return (ReturnToStudio("failed", "nobody"),) if heard.from_studio else (Speak(flow.phrases["nobody"]), HangUp())


def _unheard(flow: Flow, place: Menu | Branch, heard: Heard, how: str) -> Script:
    """What follows a prompt that nobody answers. A return to Studio is written down first, hence a step of its own."""
    return (GoTo(_step(place, how)),) if heard.from_studio else _otherwise(flow, place, heard, *UNHEARD[how])


def _otherwise(flow: Flow, place: Menu | Branch, heard: Heard, result: str = "declined", reason: str = "key") -> Script:
    return _leave(flow, place, place.otherwise, "otherwise", heard, result, reason)


def _leave(flow: Flow, place: Menu | Branch, way: Exit, role: Role, heard: Heard, result: str, reason: str) -> Script:
    if heard.from_studio:  # the flow that sent the caller decides how it goes on
        return (ReturnToStudio(result, "" if result == "silent" else reason),)
    match way:
        case ToQueue(name):
            return (Enqueue(name, _step(place, "queued", role=role)),)
        case ToNumber() | ToSip():
            return (Dial(way, _step(place, "dialled", role=role)),)
        case ToUrl(url):
            return (GoOut(url),)
        case ToMenu(name):
            return (GoTo(Step(name)),)
        case ToGoodbye(spoken):
            return Speak(spoken), HangUp()
        case ToStudio():
            return _exit_failed(flow, place, role, heard)
