"""What stands in a cell: lengths, yes or no, how a call ended, who called."""

import re
from collections.abc import Callable
from typing import TypeVar

from ivr import numbers

DAY = 86_400

_NOTHING = frozenset({"", "-", "–", "n/a", "na", "null", "none", "nan"})
_YES = frozenset({"1", "y", "yes", "true", "t", "x", "abandoned", "ja", "oui", "si", "sí"})
_NO = frozenset({"0", "n", "no", "false", "f", "answered", "handled", "nein", "non"})
# How lists of calls name one that nobody took.
_LEFT = re.compile(r"abandon|no.?answer|missed|hung.?up.*queue|hang.?up.*queue|cancel+ed|\blost\b")

_OUTGOING = re.compile(r"\b(?:out|outbound|outgoing|internal|dial)\b")

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)(?:[.,]\d+)?")
_COUNT = re.compile(r"\d+(?:[.,]\d+)?")
_WORDS = re.compile(r"(?:pt)?(?:(\d+)\s*h[a-z]*)?\s*(?:(\d+)\s*m[a-z]*)?\s*(?:(\d+)\s*s[a-z]*)?")

_PUNCTUATION = str.maketrans("", "", " ().-/\u00a0\u2011\u2013")
_PLAIN = re.compile(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}")
_NORTH_AMERICAN = re.compile(r"\+?1?[2-9]\d{2}[2-9]\d{6}")
_E164 = re.compile(r"\+[2-9]\d{9,14}")

Value = TypeVar("Value")


def bare(text: str) -> str:
    """A cell without what spreadsheets put around it: blanks, and the guards against formulas (`="…"`, `'…`)."""
    text = text.strip()
    if text.startswith('="') and text.endswith('"'):
        return text[2:-1].strip()
    return text[1:] if text.startswith("'") else text


def one_line(text: str) -> str:
    """Without anything that a terminal would obey."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def seconds(text: str, unit: float = 1.0) -> float | None:
    """A length: `203`, `203.5`, `3:23`, `00:03:23`, `3m 23s`; None where nothing is said, ValueError for no length."""
    text = bare(text).lower()
    if text in _NOTHING:
        return None
    length = _length(text, unit)
    if length > DAY:
        raise ValueError("longer than a day")
    return length


def _length(text: str, unit: float) -> float:
    if _COUNT.fullmatch(text):
        thousands = re.fullmatch(r"\d{1,3},\d{3}", text)
        return float(text.replace(",", "" if thousands else ".")) * unit
    found = _CLOCK.fullmatch(text) or _WORDS.fullmatch(text)
    if not found or not any(found.groups()):
        raise ValueError("no length that can be read")
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return hours * 3600.0 + minutes * 60 + rest


def yes(text: str) -> bool | None:
    """Yes or no; None where nothing is said, ValueError for another word."""
    text = bare(text).lower()
    if text in _NOTHING:
        return None
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError("neither yes nor no")


def left(status: str) -> bool | None:
    """Whether the caller left before anybody took the call, by the word for how it ended."""
    status = bare(status).lower()
    return None if status in _NOTHING else bool(_LEFT.search(status))


def incoming(direction: str) -> bool:
    """Anything that does not say it goes out: an export without a word there is of calls that came in."""
    return not _OUTGOING.search(bare(direction).lower().replace("_", " "))


def caller(text: str, region: str) -> str | None:
    """Who called, the same however the number is written; None for who cannot be told from others.

    Most of a million rows are plain numbers, for which phonenumbers takes too long: these are told by their digits.
    """
    if _PLAIN.fullmatch(text):
        return text
    text = bare(text).removeprefix("tel:")
    digits = text.translate(_PUNCTUATION)
    if text.lower() in _NOTHING or f"+{digits.lstrip('+')}" in numbers.WITHHELD:
        return None
    if digits.startswith("+1") or (region == "US" and not text.startswith("+")):
        if _NORTH_AMERICAN.fullmatch(digits):
            return f"+1{digits[-10:]}"
    elif _E164.fullmatch(digits) and "(0)" not in text:
        return digits
    return _unusual(text, digits, region)


def _unusual(text: str, digits: str, region: str) -> str | None:
    home = numbers.dialling(region)
    outside = r"(?:00|011)([1-9]\d{7,14})" if home and home[0] == "1" else r"00([1-9]\d{7,14})"
    abroad = re.fullmatch(outside, digits)
    if abroad:
        return numbers.caller_key(f"+{abroad[1]}")
    before = home[1].match(digits) if home and digits.isascii() and digits.isdigit() else None
    if home and before and before.end() and 7 <= len(digits) - before.end() <= 12:
        return f"+{home[0]}{digits[before.end() :]}"
    if digits.isascii() and digits.isdigit():
        keyed = numbers.keyed(digits, [region])
        return keyed.e164 if keyed else digits if len(digits) > 2 and set(digits) != {"0"} else None
    return numbers.caller_key(text.replace("(0)", "") if text.startswith("+") else text)


class Remembered(dict[str, Value]):
    """A reading that is made once for each text, and forgotten as a whole before it fills the memory."""

    def __init__(self, read: Callable[[str], Value], most: int = 200_000) -> None:
        super().__init__()
        self._read, self._most = read, most

    def __missing__(self, text: str) -> Value:
        value = self._read(text)
        if len(self) >= self._most:
            self.clear()
        self[text] = value
        return value
