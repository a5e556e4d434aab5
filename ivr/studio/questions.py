"""Questions: a prompt, its keys, and how often it is asked, as a gather with a split and a counter."""

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.flow.model import Branch, Flow, Menu, Spoken
from ivr.studio.canvas import Canvas
from ivr.studio.carried import Losses, Path, path_of
from ivr.studio.exits import named
from ivr.studio.sayings import said

LONGEST_WAIT = 30  # seconds that a gather waits for a key


@dataclass(frozen=True, slots=True)
class Question:
    """`prefix`: of the states' names, where a place asks more than once. `patient`: silence is asked again, too."""

    place: Menu | Branch
    prompt: Spoken
    path: Path  # of the prompt, in the brand's file
    keys: Mapping[str, str]  # to the state that follows
    silent: str
    wrong: str  # what follows on the last wrong key
    patient: bool = False
    prefix: str = ""


def ask(flow: Flow, canvas: Canvas, losses: Losses, question: Question) -> str:
    """The first state of a question. One try needs no counter."""
    place, tries = question.place, question.place.tries
    name = {role: named(f"{question.prefix}{role}", place.name) for role in _ROLES}
    counter = named(f"{question.prefix}tries", place.name)
    again = tries > 1
    silent = name["silent"] if again and question.patient else question.silent
    accept = place.accept if isinstance(place, Branch) else ""
    if again:
        canvas.put(name["enter"], "set-variables", {"next": name["ask"]}, variables=[{"key": counter, "value": "1"}])
    words = said(flow, question.prompt, losses, question.path, accept)
    canvas.put(
        name["ask"] if again else name["enter"],
        "gather-input-on-call",
        {"keypress": name["chosen"], "speech": silent, "timeout": silent},
        **words,
        loop=1,
        timeout=_wait(place, losses),
        finish_on_key="",
        stop_gather=True,
        number_of_digits=1,
        gather_language=flow.language,
        speech_timeout="auto",
        profanity_filter="true",
    )
    digits = f"{{{{widgets.{name['ask'] if again else name['enter']}.Digits}}}}"
    canvas.split(name["chosen"], digits, question.keys, name["wrong"] if again else question.wrong)
    if again:
        _count(flow, canvas, losses, question, name, counter)
    return name["enter"]


_ROLES = ("enter", "ask", "chosen", "wrong", "sorry", "again", "silent")


def _count(
    flow: Flow, canvas: Canvas, losses: Losses, question: Question, name: Mapping[str, str], counter: str
) -> None:
    asked, last = f"{{{{flow.variables.{counter}}}}}", str(question.place.tries)
    canvas.split(name["wrong"], asked, {last: question.wrong}, name["sorry"])
    words = said(flow, flow.phrases["wrong_key"], losses, ("phrases", "wrong_key"))
    canvas.put(name["sorry"], "say-play", {"audioComplete": name["again"]}, **words, loop=1)
    if question.patient:
        canvas.split(name["silent"], asked, {last: question.silent}, name["again"])
    more = {"key": counter, "value": f"{{{{flow.variables.{counter} | plus: 1}}}}"}
    canvas.put(name["again"], "set-variables", {"next": name["ask"]}, variables=[more])


def _wait(place: Menu | Branch, losses: Losses) -> int:
    if place.wait > LONGEST_WAIT:
        losses.add((*path_of(place), "wait"), f"a gather of Studio's waits {LONGEST_WAIT} seconds at most")
    return min(place.wait, LONGEST_WAIT)
