"""Scalars of a brand's file: each is read as text, typed here, and refused with what is allowed."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from html import escape
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ivr import numbers
from ivr.flow import opening_times, public_holidays
from ivr.flow.findings import unknown
from ivr.flow.opening_times import OneDay, TimesFault, Week
from ivr.flow.words import PHRASES, Duration, duration

MOST_NAMED = 100  # characters of a voice, a language, a skill
MOST_LINKED = 4_000  # bytes of a URL; a document of 64 kB may have seven of them
MOST_DIALLED = 255  # characters of a SIP address
RESERVED = frozenset({"fallback", "liveperson", "status", "menu"})
ID = re.compile(r"[a-z][a-z0-9-]{0,31}")
# What XML cannot carry (Twilio error 12100), and the two marks that words.py puts around digits.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ue000\ue001\ufffe\uffff]")


def fault(message: str) -> PydanticCustomError:
    """A finding's sentence; braces are doubled because pydantic formats it."""
    return PydanticCustomError("ours", "{message}", {"message": message})


def scalar(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise fault(f"expected {what}, found a {'mapping' if isinstance(value, dict) else 'list'}")
    if UNSPEAKABLE.search(value):
        raise fault("has a control character in it; remove it")
    return value.strip()


def _text(value: Any) -> str:
    text = scalar(value, "a text")
    if not text:
        raise fault("empty; write a text")
    return text


def _name(value: Any) -> str:
    text = _text(value)
    if len(text) > MOST_NAMED:
        raise fault(f"has {len(text):,} characters; at most {MOST_NAMED}")
    return text


def _whole(least: int, most: int) -> BeforeValidator:
    def read(value: Any) -> int:
        text = scalar(value, "a number")
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise fault(f"{text[:40]!r} is not allowed; write a whole number from {least} to {most}")
        return int(text)

    return BeforeValidator(read)


def _duration(least: int, most: int) -> BeforeValidator:
    def read(value: Any) -> Duration:
        text = scalar(value, "a duration")
        read_duration = duration(text)
        if read_duration is None:
            raise fault(f"{text[:40]!r} is no duration; write one like 5 seconds, 10 minutes or 30 days")
        if not least <= read_duration.seconds <= most:
            raise fault(f"{text[:40]!r} is out of bounds; allowed: {least:,} to {most:,} seconds")
        return read_duration

    return BeforeValidator(read)


def _key(value: Any) -> str:
    text = scalar(value, "a key")
    if not re.fullmatch(r"[0-9*#]", text):
        raise fault(f"{text[:40]!r} is no key; allowed: one of 0 to 9, * and # (in quotes)")
    return text


def _url(value: Any) -> str:
    text = scalar(value, "a URL")
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\\]", text)
        good = good and parts.port != 0  # a port that is none raises ValueError
    except ValueError:
        good = False
    if not good:
        raise fault(f"{text[:60]!r} is no URL; write one that starts with https://")
    if (size := len(escape(text).encode())) > MOST_LINKED:
        raise fault(f"the URL has {size:,} bytes; at most {MOST_LINKED:,}")
    return text


def _number(value: Any) -> str:
    text = scalar(value, "a phone number")
    number = numbers.read(text)
    if number is None:
        raise fault(f"{text[:40]!r} is no phone number; write it with its country code, like +1 415 555 0100")
    return number.e164


def _dial(value: Any) -> str:
    text = scalar(value, "a number or SIP address")
    if re.fullmatch(r"sips?:[^\s@<>&\"]+@[^\s@<>&\"]+", text):
        if len(text) > MOST_DIALLED:
            raise fault(f"the SIP address has {len(text):,} characters; at most {MOST_DIALLED}")
        return text
    return _number(text)


def _sender(value: Any) -> str:
    text = scalar(value, "a number or a messaging service")
    if re.fullmatch(r"MG[0-9a-fA-F]{32}", text):
        return text
    number = numbers.read(text)
    if number is None:
        raise fault(f"{text[:40]!r} is no sender; write a number like +1 415 555 0111, or a messaging service (MG…)")
    if number.kind:
        kind = number.kind.replace("_", "-")
        raise fault(f"{number.full} is {kind}; texts need a local number or a messaging service as sender")
    return number.e164


def _queue(value: Any) -> str:
    text = scalar(value, "a queue's name")
    if not 1 <= len(text) <= 64:  # Twilio error 14205: queue name too long or too short
        raise fault("a queue's name has 1 to 64 characters")
    return text


def _zone(value: Any) -> str:
    text = scalar(value, "a time zone")
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise fault(f"{text[:40]!r} is no time zone; write one like America/New_York") from None
    return text


def _times(read: Callable[[str], Week | OneDay]) -> BeforeValidator:
    def of(value: Any) -> Week | OneDay:
        try:
            return read(scalar(value, "opening times"))
        except TimesFault as wrong:
            raise fault(str(wrong)) from None

    return BeforeValidator(of)


def _holidays(value: Any) -> str:
    text = scalar(value, "a country")
    code = public_holidays.code(text)
    if code is None:
        raise fault(f"{text[:20]!r} is nowhere whose holidays are known; {public_holidays.allowed(text)}")
    return code


def _date(value: Any) -> date:
    text = scalar(value, "a date")
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise fault(f"{text[:20]!r} is no date; write one like 2026-12-24")


def _region(value: Any) -> str:
    text = scalar(value, "a region").upper()
    if text not in numbers.REGIONS:
        raise fault(f"{text[:20]!r} is no region; write its two letters, like US or CA")
    return text


def _yes(value: Any) -> bool:
    text = scalar(value, "yes or no").lower()
    if text not in ("yes", "no", "true", "false"):
        raise fault(f"{text[:20]!r} is not allowed; write yes or no")
    return text in ("yes", "true")


def _variable(value: Any) -> str:
    text = scalar(value, "an environment variable's name")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", text):
        raise fault(f"{text[:40]!r} is no variable's name; write one like ACME_DESK_SECRET")
    return text


def _phrase(value: Any) -> str:
    name = scalar(value, "a phrase's name")
    if name not in PHRASES:
        raise fault(unknown(name, "phrase", PHRASES))
    return name


def _as_text(*examples: str | int, **schema: Any) -> WithJsonSchema:
    """In the JSON Schema: an editor's YAML takes 01 and 5 for numbers; they are read as written."""
    return WithJsonSchema(
        {"type": ["string", "integer"], **({"examples": list(examples)} if examples else {}), **schema}
    )


def _as_words(**schema: Any) -> WithJsonSchema:
    """As `_as_text`, where 12.5, true and on are words like any others."""
    return WithJsonSchema({"type": ["string", "number", "boolean"], **schema})


def _written(example: str, pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


def _in_any_case(words: str) -> str:
    """The pattern of `words` in small letters and capitals; a JSON Schema has no flag for it."""
    return re.sub("[a-z]", lambda letter: f"[{letter[0].upper()}{letter[0]}]", words)


def _unless(words: Iterable[str]) -> str:
    """The pattern of an id that is none of `words`, which a text holds alone."""
    return rf"(?!({'|'.join(sorted(words))})\s*$){ID.pattern}"


_DURATION = rf"^\s*[0-9]{{1,4}}\s*({_in_any_case('second|minute|hour|day|week')})[Ss]?\s*$"
_SPAN = r"\s*[0-9]{1,2}:[0-9]{2}\s*[-–]\s*[0-9]{1,2}:[0-9]{2}\s*"
_TIMES = r"^[A-Za-z0-9:;,/–\s-]*[0-9][A-Za-z0-9:;,/–\s-]*$"
_TIMES_OF_DAY = rf"^({_SPAN}(,{_SPAN})*|\s*{_in_any_case('closed')}\s*)$"
_YES_OR_NO = rf"^\s*({_in_any_case('yes|no|true|false')})\s*$"

Text = Annotated[str, BeforeValidator(_text), _as_words(minLength=1)]
Name = Annotated[str, BeforeValidator(_name), _as_words(maxLength=MOST_NAMED)]
Id = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": "string", "pattern": f"^{_unless(RESERVED)}$"})]
# What leads to a branch or a menu: to `menu`, too, which none of `menus` may be called.
Target = Annotated[
    str,
    BeforeValidator(_text),
    WithJsonSchema({"type": "string", "pattern": rf"^\s*{_unless(RESERVED - {'menu'})}\s*$"}),
]
Key = Annotated[str, BeforeValidator(_key), _as_text(1, minimum=0, maximum=9, pattern=r"^\s*[0-9*#]\s*$")]
Url = Annotated[str, BeforeValidator(_url), _written("https://example.com/path", rf"^\s*{_in_any_case('https')}?://")]
# An editor's YAML takes a number without quotes for one without its plus sign.
PhoneNumber = Annotated[
    str, BeforeValidator(_number), _as_text("+1 415 555 0100", pattern=r"^\s*\+?[0-9\s().-]{7,24}\s*$")
]
Dialled = Annotated[str, BeforeValidator(_dial), _as_text("+1 415 555 0199")]
SenderAddress = Annotated[str, BeforeValidator(_sender), _as_text("+1 415 555 0111")]
Queue = Annotated[str, BeforeValidator(_queue), _as_words(examples=["front"], minLength=1, maxLength=64)]
Zone = Annotated[
    str, BeforeValidator(_zone), WithJsonSchema({"type": "string", "examples": ["America/New_York", "UTC"]})
]
Tries = Annotated[int, _whole(1, 5), _as_text(2, minimum=1, maximum=5, pattern=r"^\s*0{0,8}[1-5]\s*$")]
# Twilio error 13313: Gather's timeout is a positive number of seconds.
Wait = Annotated[Duration, _duration(1, 60), _written("5 seconds", _DURATION)]
Confirm = Annotated[Duration, _duration(1, 60), _written("10 seconds", _DURATION)]
LongTime = Annotated[Duration, _duration(1, 366 * 86400), _written("10 minutes", _DURATION)]
Region = Annotated[str, BeforeValidator(_region), WithJsonSchema({"type": "string", "pattern": r"^\s*[A-Za-z]{2}\s*$"})]
Times = Annotated[Week, _times(opening_times.week), _written("Mon-Fri 08:00-20:00; Sat 09:00-13:00", _TIMES)]
TimesOfDay = Annotated[OneDay, _times(opening_times.one_day), _written("08:00-12:00", _TIMES_OF_DAY)]
Holidays = Annotated[str, BeforeValidator(_holidays), _written("US", r"^\s*[A-Za-z]{2}(-\S.*)?\s*$")]
Date = Annotated[date, BeforeValidator(_date), _written("2026-12-24", r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*$")]
YesOrNo = Annotated[
    bool,
    BeforeValidator(_yes),
    # The first is what an editor offers, the second what is read as well.
    WithJsonSchema({"anyOf": [{"enum": ["yes", "no", True, False]}, {"type": "string", "pattern": _YES_OR_NO}]}),
]
Variable = Annotated[str, BeforeValidator(_variable), _written("ACME_DESK_SECRET", r"^\s*[A-Z][A-Z0-9_]{0,63}\s*$")]
PhraseName = Annotated[str, BeforeValidator(_phrase), WithJsonSchema({"type": "string", "enum": list(PHRASES)})]
