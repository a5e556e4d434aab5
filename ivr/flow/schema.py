"""The shape of a brand's file: every key, its type and what is allowed; also the source of its JSON Schema."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from ivr import numbers
from ivr.flow.findings import unknown
from ivr.flow.words import PHRASES, Duration, duration

RESERVED = frozenset({"fallback", "liveperson", "status", "menu"})
ID = re.compile(r"[a-z][a-z0-9-]{0,31}")
# What XML cannot carry (Twilio error 12100), and the two marks that words.py puts around digits.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ue000\ue001\ufffe\uffff]")


def fault(message: str) -> PydanticCustomError:
    """A finding's sentence; braces are doubled because pydantic formats it."""
    return PydanticCustomError("ours", "{message}", {"message": message})


def _scalar(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise fault(f"expected {what}, found a {'mapping' if isinstance(value, dict) else 'list'}")
    if UNSPEAKABLE.search(value):
        raise fault("has a control character in it; remove it")
    return value.strip()


def _text(value: Any) -> str:
    text = _scalar(value, "a text")
    if not text:
        raise fault("empty; write a text")
    return text


def _whole(least: int, most: int) -> BeforeValidator:
    def read(value: Any) -> int:
        text = _scalar(value, "a number")
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise fault(f"{text!r} is not allowed; write a whole number from {least} to {most}")
        return int(text)

    return BeforeValidator(read)


def _duration(least: int, most: int) -> BeforeValidator:
    def read(value: Any) -> Duration:
        text = _scalar(value, "a duration")
        read_duration = duration(text)
        if read_duration is None:
            raise fault(f"{text!r} is no duration; write one like 5 seconds, 10 minutes or 30 days")
        if not least <= read_duration.seconds <= most:
            raise fault(f"{text!r} is out of bounds; allowed: {least:,} to {most:,} seconds")
        return read_duration

    return BeforeValidator(read)


def _key(value: Any) -> str:
    text = _scalar(value, "a key")
    if not re.fullmatch(r"[0-9*#]", text):
        raise fault(f"{text!r} is no key; allowed: one of 0 to 9, * and # (in quotes)")
    return text


def _url(value: Any) -> str:
    text = _scalar(value, "a URL")
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)
    except ValueError:
        good = False
    if not good:
        raise fault(f"{text[:60]!r} is no URL; write one that starts with https://")
    return text


def _number(value: Any) -> str:
    text = _scalar(value, "a phone number")
    number = numbers.read(text)
    if number is None:
        raise fault(f"{text[:40]!r} is no phone number; write it with its country code, like +1 415 555 0100")
    return number.e164


def _dial(value: Any) -> str:
    text = _scalar(value, "a number or SIP address")
    if re.fullmatch(r"sips?:[^\s@<>&\"]+@[^\s@<>&\"]+", text):
        return text
    return _number(text)


def _sender(value: Any) -> str:
    text = _scalar(value, "a number or a messaging service")
    if re.fullmatch(r"MG[0-9a-fA-F]{32}", text):
        return text
    number = numbers.read(text)
    if number is None:
        raise fault(f"{text[:40]!r} is no sender; write a number like +1 415 555 0111, or a messaging service (MG…)")
    if number.kind == "toll_free":
        raise fault(f"{number.full} is toll-free; texts need a local number or a messaging service as sender")
    return number.e164


def _queue(value: Any) -> str:
    text = _scalar(value, "a queue's name")
    if not 1 <= len(text) <= 64:  # Twilio error 14205: queue name too long or too short
        raise fault("a queue's name has 1 to 64 characters")
    return text


def _zone(value: Any) -> str:
    text = _scalar(value, "a time zone")
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise fault(f"{text[:40]!r} is no time zone; write one like America/New_York") from None
    return text


def _region(value: Any) -> str:
    text = _scalar(value, "a region").upper()
    if text not in numbers.REGIONS:
        raise fault(f"{text[:20]!r} is no region; write its two letters, like US or CA")
    return text


def _yes(value: Any) -> bool:
    text = _scalar(value, "yes or no").lower()
    if text not in ("yes", "no", "true", "false"):
        raise fault(f"{text[:20]!r} is not allowed; write yes or no")
    return text in ("yes", "true")


def _as_text(*examples: str, **schema: Any) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": ["string", "integer"], **({"examples": list(examples)} if examples else {}), **schema}
    )


Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
Name = Annotated[str, BeforeValidator(_text), _as_text()]
Key = Annotated[str, BeforeValidator(_key), _as_text("1", pattern="^[0-9*#]$")]
Url = Annotated[str, BeforeValidator(_url), WithJsonSchema({"type": "string", "pattern": "^https?://"})]
PhoneNumber = Annotated[str, BeforeValidator(_number), _as_text("+1 415 555 0100")]
Tries = Annotated[int, _whole(1, 5), _as_text("2")]
# Twilio error 13313: Gather's timeout is a positive number of seconds.
Wait = Annotated[Duration, _duration(1, 60), _as_text("5 seconds")]
Confirm = Annotated[Duration, _duration(1, 60), _as_text("10 seconds")]
LongTime = Annotated[Duration, _duration(1, 366 * 86400), _as_text("10 minutes")]
Regions = list[Annotated[str, BeforeValidator(_region), WithJsonSchema({"type": "string"})]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Play(_Strict):
    """A recording instead of a spoken text."""

    play: Url


def _kind_of_spoken(value: Any) -> str:
    return "<play>" if isinstance(value, (dict, Play)) else "<text>"


Spoken = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[Play, Tag("<play>")],
    Discriminator(_kind_of_spoken),
]


class _OneOf(_Strict):
    """A mapping with exactly one of its keys (those in `beside` do not count)."""

    @model_validator(mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        choices = [name for name in cls.model_fields if name not in cls.beside()]
        if isinstance(value, dict) and all(key in cls.model_fields for key in value):
            given = [key for key in value if key in choices]
            if len(given) != 1:
                found = " and ".join(given) or "nothing"
                raise fault(f"expected exactly one of {', '.join(choices)}; found {found}")
        return value

    @classmethod
    def beside(cls) -> frozenset[str]:
        return frozenset()


class Exit(_OneOf):
    """Where the call goes on: exactly one of these."""

    queue: Annotated[str, BeforeValidator(_queue), _as_text("billing")] | None = None
    dial: Annotated[str, BeforeValidator(_dial), _as_text("+1 415 555 0199")] | None = None
    redirect: Url | None = None
    studio: Literal["return"] | None = None
    say: Spoken | None = None
    menu: Name | None = None


class LivePerson(_Strict):
    """LivePerson LiveEngage, by its Connector API."""


class Webhook(_Strict):
    """A desk of one's own, by a signed webhook."""

    url: Url


class Native(_Strict):
    """LivePerson owns the number's texts; only the greeting is ours."""


class Desk(_OneOf):
    """The brand's messaging desk."""

    liveperson: LivePerson | None = None
    webhook: Webhook | None = None
    native: Native | None = None
    context_line: Annotated[bool, BeforeValidator(_yes), WithJsonSchema({"enum": ["yes", "no", True, False]})] = True

    @classmethod
    def beside(cls) -> frozenset[str]:
        return frozenset({"context_line"})


class Sender(_Strict):
    """Who the texts come from."""

    sms: Annotated[str, BeforeValidator(_sender), _as_text("+1 415 555 0111")]
    number_format: Literal["full", "e164"] = "full"


def _phrase(value: Any) -> str:
    name = _scalar(value, "a phrase's name")
    if name not in PHRASES:
        raise fault(unknown(name, "phrase", PHRASES))
    return name


PhraseName = Annotated[str, BeforeValidator(_phrase), WithJsonSchema({"enum": list(PHRASES)})]


class Inherited(_Strict):
    """Keys that stand on the brand, and on a branch or menu where it differs."""

    accept: Key | None = Field(None, description="The key that accepts an offer; 1 unless said.")
    tries: Tries | None = Field(None, description="How often a prompt is played in all; 2 unless said.")
    wait: Wait | None = Field(None, description="How long to wait for a key; 5 seconds unless said.")
    confirm: Confirm | None = Field(
        None, description="How long after the text is sent the call looks whether it failed; 10 seconds unless said."
    )
    regions: Regions | None = Field(None, description="Whose numbers may be texted, e.g. [US, CA].")
    fallback: Exit | None = Field(None, description="Where the call goes when `otherwise` itself fails.")


class Menu(Inherited):
    """A prompt and its keys."""

    say: Spoken
    press: dict[Key, Name] = Field(min_length=1, description="Key to the name of a branch or menu.")
    otherwise: Exit


class Branch(Inherited):
    """An offer to go on by text, and the text."""

    offer: Spoken
    greeting: Text
    otherwise: Exit
    skill: Name | None = Field(None, description="The skill that the desk routes the conversation to.")
    sla: LongTime | None = Field(None, description="How soon an agent answers; spoken as written.")


class Brand(Inherited):
    """One brand: its numbers, its menu, its branches and their words."""

    name: Text
    sender: Sender
    branches: dict[Name, Branch] = Field(min_length=1)
    timezone: Annotated[str, BeforeValidator(_zone), WithJsonSchema({"type": "string"})] = "UTC"
    language: Name = "en-US"
    voice: Name | None = None
    numbers: dict[PhoneNumber, Name] = Field(default_factory=dict, description="Dialled number to its entry.")
    desk: Desk | None = None
    menu: Menu | None = None
    menus: dict[Name, Menu] = Field(default_factory=dict)
    phrases: dict[PhraseName, Spoken] = Field(default_factory=dict, description="Built-in sentences in other words.")
    skill: Name | None = Field(None, description="The skill for texts that no deflection explains.")
    reply_window: LongTime | None = None
