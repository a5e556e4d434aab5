"""The shape of `identify:` in a brand's file, and what becomes of it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from ivr.flow import identify
from ivr.flow.answer_pattern import AnswerPattern, PatternFault, answer_pattern
from ivr.flow.answers import MOST_DIGITS, Answer
from ivr.flow.scalars import LongTime, Text, fault
from ivr.flow.shapes import Strict
from ivr.flow.words import Duration, words

HELD = 180  # seconds, unless said
SHORTEST_HELD, LONGEST_HELD = 30, 600  # outbox.LONGEST_WAIT is longer
MOST_QUESTIONS = 4
# `tests` hold these to be the ones that the client knows how to pass on.
AT_LIVEPERSON = frozenset({"customerId", "userName", "imei", "firstname", "lastname", "company", "email"})
DATES_AT_LIVEPERSON = frozenset({"birthday", "registrationDate", "lastPaymentDate"})

_COUNTED = re.compile(r"(\d{1,2})(?:\s*(?:to|-|–)\s*(\d{1,2}))?\s+digits?")


def _answer(value: Any) -> Answer:
    text = " ".join(value.lower().split()) if isinstance(value, str) else ""
    if text in ("digits", "date", "email", "e-mail"):
        return Answer(text.replace("-", ""))  # type: ignore[arg-type]
    counted = _COUNTED.fullmatch(text)
    least, most = (int(counted[1]), int(counted[2] or counted[1])) if counted else (0, 0)
    if not 1 <= least <= most <= MOST_DIGITS:
        raise fault(
            f"{str(value)[:40]!r} is no kind of answer; write digits, 8 digits, 6 to 10 digits "
            f"(at most {MOST_DIGITS}), date, email or {{pattern: …}}"
        )
    return Answer("digits", least, most)


def _pattern(value: Any) -> AnswerPattern:
    if not isinstance(value, str) or not value.strip():
        raise fault("expected a pattern, like [A-Z]{2}\\d{6}")
    try:
        return answer_pattern(value.strip())
    except PatternFault as wrong:
        raise fault(str(wrong)) from None


def _attribute(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", text):
        raise fault(f"{str(value)[:40]!r} is no attribute's name; write one like customerId")
    return text


def _held(value: Duration) -> Duration:
    if not SHORTEST_HELD <= value.seconds <= LONGEST_HELD:
        raise fault(f"{value.spoken!r} is out of bounds; allowed: {SHORTEST_HELD} to {LONGEST_HELD} seconds")
    return value


class Pattern(Strict):
    """An answer of the brand's own form."""

    pattern: Annotated[
        AnswerPattern,
        BeforeValidator(_pattern),
        WithJsonSchema({"type": ["string", "integer"], "examples": [r"[A-Z]{2}\d{6}"]}),
    ] = Field(description=r"The whole answer: letters, digits, \d, \w, [A-Z], a dot, ?, *, +, {2,5} and | between.")


_KIND = r"^\s*([Dd]igits|[Dd]ate|[Ee]-?mail|[0-9]{1,2}(\s*(to|-|–)\s*[0-9]{1,2})?\s+[Dd]igits?)\s*$"
Answered = Annotated[
    Annotated[
        Answer,
        BeforeValidator(_answer),
        WithJsonSchema({"type": "string", "pattern": _KIND, "examples": ["8 digits"]}),
        Tag("<text>"),
    ]
    | Annotated[Pattern, Tag("<pattern>")],
    Discriminator(lambda value: "<pattern>" if isinstance(value, (dict, Pattern)) else "<text>"),
]
Attribute = Annotated[
    str,
    BeforeValidator(_attribute),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[A-Za-z][A-Za-z0-9_]{0,31}\s*$", "examples": ["customerId"]}),
]


class Question(Strict):
    """One question about who the consumer is."""

    ask: Text = Field(
        description="The question, as it is texted; it says what an answer looks like.",
        examples=["What is your customer number? (8 digits, it stands on your bill)"],
    )
    answer: Answered = Field(description="What an answer is: digits, 8 digits, 6 to 10 digits, date, email, a pattern.")
    attribute: Attribute = Field(description="What the desk gets it as; LivePerson takes a few, like customerId.")
    retry: Text | None = Field(
        None,
        description="What is texted, once, to an answer that is none.",
        examples=["Sorry, that is no customer number. It has 8 digits. Or reply SKIP."],
    )


_WHY = "So that we can help you faster, may we ask who you are? Reply SKIP to any question."
_QUESTION = {"ask": "What is your customer number? (8 digits)", "answer": "8 digits", "attribute": "customerId"}
EXAMPLE = {"why": _WHY, "questions": [_QUESTION]}


class Identify(Strict):
    """How consumers are asked who they are: why, and up to four questions."""

    when: Literal["before", "after"] = Field(
        "before", description="before the desk gets the consumer's first text, or after; before unless said."
    )
    why: Text = Field(
        description="Why it is asked, and that SKIP is an answer; texted with the first question.",
        examples=[_WHY],
    )
    questions: list[Question] = Field(
        min_length=1, max_length=MOST_QUESTIONS, description="One to four questions.", examples=[[_QUESTION]]
    )
    wait: Annotated[LongTime, AfterValidator(_held)] | None = Field(
        None, description="How long the desk waits for each answer; 3 minutes unless said.", examples=["3 minutes"]
    )
    thanks: Text | None = Field(
        None, description="What is texted after the last answer.", examples=["Thank you, an agent is on the way."]
    )


def identify_of(
    shape: Identify | None, known: Mapping[str, str], language: str, sla: Duration | None = None
) -> identify.Identify | None:
    """What a brand or branch asks, its words filled in. Raises TemplateFault when a template fails.

    Of the time that agents have by the `sla`, the asking takes half at most.
    """
    if shape is None:
        return None
    return identify.Identify(
        when=shape.when,
        why=words(shape.why, known).text,
        questions=tuple(_question(each, known, language) for each in shape.questions),
        wait=shape.wait.seconds if shape.wait else HELD,
        most=min(LONGEST_HELD, sla.seconds // 2) if sla else LONGEST_HELD,
        thanks=words(shape.thanks, known).text if shape.thanks else "",
    )


def _question(shape: Question, known: Mapping[str, str], language: str) -> identify.Question:
    answer, ask = shape.answer, words(shape.ask, known).text
    if isinstance(answer, Pattern):
        answer = Answer("pattern", pattern=answer.pattern)
    elif answer.kind == "date":
        answer = Answer("date", month_first=language.lower() == "en-us")
    retry = words(shape.retry, known).text if shape.retry else ""
    again = retry or f"Sorry, we could not read that as {answer.wanted}. {ask} Or reply SKIP."
    return identify.Question(ask, shape.attribute, answer, again)
