"""How a brand asks consumers who they are: the questions, what a text is taken for, what comes next. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ivr.flow import answers
from ivr.flow.answers import Answer

RETRIES = 1  # how often a question is asked again
READ_WITHIN = timedelta(seconds=10)  # what comes so soon was typed before the question was read
ANSWERED_FOR = timedelta(hours=1)  # a text after that is no answer any more
ANSWERED = "[an answer about who the consumer is, passed on and not kept here]"

_PERSON = frozenset(("agent", "agents", "person", "human", "representative", "rep", "operator", "someone", "somebody"))
_PERSON_WORDS = 10  # a longer text that has one of these is about something else
_WISHING = "please i i'd i'll like want to the this that it one question rather would let's"
_AROUND_SKIP = frozenset(_WISHING.split())
_AROUND = ".,;:!?\"'()*-#"

When = Literal["before", "after"]
# enough: the rest is skipped. end: they want a person, or cannot be understood. talk: it is about something else.
Kind = Literal["answer", "skip", "enough", "again", "end", "talk"]


@dataclass(frozen=True, slots=True)
class Question:
    ask: str
    attribute: str
    answer: Answer
    retry: str


@dataclass(frozen=True, slots=True)
class Identify:
    """When it is asked before the desk is reached, that waits: `wait` seconds for each answer, `most` in all."""

    when: When
    why: str
    questions: tuple[Question, ...]
    wait: int
    most: int
    thanks: str

    @property
    def opening(self) -> str:
        """The first text: why, and the first question."""
        return f"{self.why}\n{self.questions[0].ask}"

    def question(self, attribute: str) -> Question | None:
        return next((each for each in self.questions if each.attribute == attribute), None)

    def after(self, attribute: str) -> Question | None:
        names = [each.attribute for each in self.questions]
        place = names.index(attribute) + 1 if attribute in names else len(names)
        return self.questions[place] if place < len(names) else None


@dataclass(frozen=True, slots=True)
class Open:
    """The question that waits for its answer."""

    question: Question
    asked_at: datetime
    tries: int  # texts that were none


@dataclass(frozen=True, slots=True)
class Taken:
    """What a text is taken for. `value`: the answer, which nobody may see but the desk."""

    kind: Kind
    value: str = field(default="", repr=False)


def taken(opened: Open, body: str, wished: str | None, now: datetime) -> Taken:
    """`wished`: stop, start or help, none of which is ever an answer."""
    said = _words(body)
    if wished or not said or now - opened.asked_at > ANSWERED_FOR:
        return Taken("end" if wished == "stop" else "talk")
    left = [word for word in said if word not in _AROUND_SKIP]
    if left in (["skip"], ["skip", "all"]):
        return Taken("skip" if left == ["skip"] else "enough")
    if wants_person(body):
        return Taken("end")
    value = answers.read(opened.question.answer, body)
    if value is not None:
        return Taken("answer", value)
    if now - opened.asked_at < READ_WITHIN:
        return Taken("talk")
    return Taken("again" if opened.tries < RETRIES else "end")


def wants_person(body: str) -> bool:
    """Whether a text is a few words with one for a person in it."""
    said = _words(body)
    return len(said) <= _PERSON_WORDS and bool(_PERSON.intersection(said))


def _words(body: str) -> list[str]:
    return [word for word in (word.strip(_AROUND) for word in body.lower().replace("’", "'").split()) if word]


def held_until(identify: Identify, began: datetime, now: datetime) -> datetime:
    """Until when the desk waits for the answer to what is asked now."""
    return min(now + timedelta(seconds=identify.wait), began + timedelta(seconds=identify.most))


def outcome(identify: Identify, given: Collection[str]) -> str:
    """What the agent reads: which is there, never what it is."""
    asked = [each.attribute for each in identify.questions]
    there = [name for name in asked if name in given]
    missing = [name for name in asked if name not in given]
    said = f" Given, in the consumer's details: {', '.join(there)}." if there else ""
    unsaid = f" Not given: {', '.join(missing)}." if missing else ""
    return f"[The consumer was asked who they are.{said}{unsaid}]"


def shown(asked: Iterable[Identify | None], body: str) -> str:
    """A consumer's text as others may see it: not where it could be an answer to one of the questions."""
    questions = [question for each in asked if each for question in each.questions]
    return ANSWERED if any(answers.read(each.answer, body) is not None for each in questions) else body
