"""Operators: whether what a split asks about is what a condition says. Letters' case and outer spaces do not count."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

import regex

MOST_MATCHED = 200  # letters of either side of a regex
MOST_SECONDS = 0.1  # of one match; some patterns would take years


class CannotMatch(Exception):
    """One sentence for a person."""


def holds(operator: str, asked: str, value: str, now: datetime) -> bool:
    """What is no number, date or regex compares as false, its negation as true. Raises CannotMatch."""
    asked, value = asked.strip().lower(), value.strip().lower()
    if operator in _NEGATED:
        return not holds(_NEGATED[operator], asked, value, now)
    if operator in _OF_NOW:
        return _OF_NOW[operator](now, value)
    known = _OPERATORS.get(operator)
    return known(asked, value) if known else False


def _listed(asked: str, value: str) -> bool:
    return asked in [each.strip() for each in value.split(",")]


def _matches(asked: str, value: str) -> bool:
    try:
        return bool(regex.fullmatch(value[:MOST_MATCHED], asked[:MOST_MATCHED], timeout=MOST_SECONDS))
    except TimeoutError:
        raise CannotMatch(
            f"the regex {value[:40]} goes back without end; write it without a repeat in a repeat"
        ) from None
    except (regex.error, RecursionError, OverflowError, MemoryError, ValueError):
        return False


def _less(asked: str, value: str) -> bool:
    return _number(asked) < _number(value)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "equal_to": lambda asked, value: asked == value,
    "matches_any_of": _listed,
    "is_blank": lambda asked, _value: not asked,
    "regex": _matches,
    "contains": lambda asked, value: value in asked,
    "starts_with": lambda asked, value: asked.startswith(value),
    "less_than": _less,
    "greater_than": lambda asked, value: _less(value, asked),
}
_NEGATED: Mapping[str, str] = {
    "not_equal_to": "equal_to",
    "does_not_match_any_of": "matches_any_of",
    "is_not_blank": "is_blank",
    "does_not_contain": "contains",
    "does_not_start_with": "starts_with",
}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_OF_NOW: Mapping[str, Callable[[datetime, str], bool]] = {
    "is_before_time": lambda now, value: now.strftime("%H:%M") < value,
    "is_after_time": lambda now, value: now.strftime("%H:%M") > value,
    "is_before_date": lambda now, value: (day := _day(value)) is not None and now.date() < day,
    "is_after_date": lambda now, value: (day := _day(value)) is not None and now.date() > day,
}
