"""What an answer to a question about identity may be, and how a consumer's text is read as one. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ivr.flow.answer_pattern import AnswerPattern

MOST_DIGITS = 32
LONGEST_ANSWER = 64  # characters; an e-mail address may have more
LONGEST_EMAIL = 120
LONGEST_READ = 200  # characters of a text that is looked at

# What people write around an answer, and what is no part of it.
_POLITE = (
    "hi hello hey sure ok okay yes it its it's this here is are my the our a an i'm im am you go "
    "customer client account member membership booking policy order reference contract ref "
    "number no nr num id code pin e-mail email mail address date of birth birthday dob born on name"
)
_BEFORE, _AFTER = frozenset(_POLITE.split()), frozenset(("thanks", "thank", "you", "please", "ok"))
_AROUND = ".,;:!?\"'()<>[]"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_IN_NUMBERS = re.compile(r"(\d{1,4})\s?([-./ ])\s?(\d{1,2})\s?\2\s?(\d{1,4})")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\.?\s(?:of\s)?([a-z]{3,9})\.?,?\s(\d{4})")
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.?\s(\d{1,2})(?:st|nd|rd|th)?,?\s(\d{4})")
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is asked for. `month_first`: how the brand's language writes 5/4/1980."""

    kind: Literal["digits", "date", "email", "pattern"]
    least: int = 1
    most: int = MOST_DIGITS
    pattern: AnswerPattern | None = None
    month_first: bool = False

    @property
    def wanted(self) -> str:
        """In words, after "we could not read that as"."""
        if self.kind == "digits":
            bounded = self.least > 1 or self.most < MOST_DIGITS
            counted = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
            return f"a number of {counted} digit{'s' if self.most > 1 else ''}" if bounded else "a number"
        if self.kind == "date":
            return "a date like 05/24/1980" if self.month_first else "a date like 24.5.1980"
        return "an e-mail address" if self.kind == "email" else "an answer"


def read(answer: Answer, body: str) -> str | None:
    """The answer in a text that holds nothing else, as it is passed on; None where it is none."""
    text = " ".join(unicodedata.normalize("NFKC", body[: LONGEST_READ + 1]).split())
    if not text or len(text) > LONGEST_READ or not text.isprintable():
        return None
    return _read(answer, text.strip(_AROUND)) or _read(answer, _bare(text))


def _read(answer: Answer, text: str) -> str | None:
    if not text or len(text) > (LONGEST_EMAIL if answer.kind == "email" else LONGEST_ANSWER):
        return None
    if answer.kind == "digits":
        return _digits(answer, text)
    if answer.kind == "date":
        return _date(text.lower(), answer.month_first)
    return _email(text) if answer.kind == "email" else _matched(answer.pattern, text)


def _bare(text: str) -> str:
    """A text without the polite words around an answer: "It's 1234 5678, thanks"."""
    said = text.replace("’", "'").replace("#", " ").split()
    while said and said[0].strip(_AROUND + "-").lower() in {*_BEFORE, ""}:
        said = said[1:]
    while said and said[-1].strip(_AROUND).lower() in {*_AFTER, ""}:
        said = said[:-1]
    return " ".join(said).strip(_AROUND + " ")


def _digits(answer: Answer, text: str) -> str | None:
    figures = text.removeprefix("#").translate({ord(mark): None for mark in " -./"})
    if not figures.isdecimal() or not answer.least <= len(figures) <= answer.most:
        return None
    return "".join(str(unicodedata.decimal(figure)) for figure in figures)


def _email(text: str) -> str | None:
    local, _, domain = text.removeprefix("mailto:").rpartition("@")
    labels = domain.split(".")
    if not 0 < len(local) <= LONGEST_ANSWER or len(labels) < 2 or labels[-1].isdecimal():
        return None
    good = _LOCAL.fullmatch(local) and all(map(_LABEL.fullmatch, labels))
    return f"{local}@{domain.lower()}" if good else None


def _matched(pattern: AnswerPattern | None, text: str) -> str | None:
    """In whatever case it was typed: a telephone begins each text with a capital."""
    written = (text, text.upper(), text.lower())
    return next((each for each in written if pattern and pattern.matches(each)), None)


def _date(text: str, month_first: bool) -> str | None:
    """A day of a year in four digits, as 1980-05-24; two digits might be either century."""
    if found := _IN_NUMBERS.fullmatch(text):
        return _in_numbers(found[1], found[2], found[3], found[4], month_first)
    if found := _DAY_FIRST.fullmatch(text):
        return _day(found[3], _month(found[2]), found[1])
    if found := _MONTH_FIRST.fullmatch(text):
        return _day(found[3], _month(found[1]), found[2])
    return None


def _in_numbers(one: str, mark: str, two: str, three: str, month_first: bool) -> str | None:
    if len(one) == 4:
        return _day(one, two, three) if len(three) <= 2 else None
    if len(three) != 4 or len(one) > 2:
        return None
    # With dots the day comes first everywhere; else a number over 12 is no month.
    american = mark != "." and (int(two) > 12 or (month_first and int(one) <= 12))
    return _day(three, one, two) if american else _day(three, two, one)


def _month(name: str) -> str:
    return str(_MONTHS.index(name[:3]) + 1) if name[:3] in _MONTHS else "0"


def _day(year: str, month: str, day: str) -> str | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found.isoformat() if 1900 <= found.year <= 2100 else None
