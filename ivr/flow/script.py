"""A script: what one answer to Twilio says and does, before it is written as TwiML."""

from dataclasses import dataclass
from typing import Literal

from ivr.flow.model import Spoken, ToNumber, ToSip

Role = Literal["otherwise", "fallback"]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a call is: a branch or menu by name, and the step in it by name ("" enters it)."""

    place: str
    name: str = ""
    attempt: int = 1  # which playing of the prompt a key answered
    role: Role = "otherwise"  # which exit a queue or a dialled number belongs to
    until: int | None = None  # the branch's `until`, when its offer was the one out of hours
    channel: str = "sms"  # by which the caller was told that the text goes


@dataclass(frozen=True, slots=True)
class Speak:
    spoken: Spoken
    number: str = ""  # E.164, the number these words are about; the caller's own unless said


@dataclass(frozen=True, slots=True)
class Listen:
    """Play the prompt and wait for one key, which goes to `then`; silence goes on with the script."""

    prompt: Spoken
    wait: int
    then: Step
    number: str = ""  # as in Speak
    digits: bool = False  # as many as come, until # or `wait` seconds after the last


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: int


@dataclass(frozen=True, slots=True)
class Enqueue:
    queue: str
    then: Step


@dataclass(frozen=True, slots=True)
class Dial:
    to: ToNumber | ToSip
    then: Step


@dataclass(frozen=True, slots=True)
class GoTo:
    step: Step


@dataclass(frozen=True, slots=True)
class GoOut:
    url: str


@dataclass(frozen=True, slots=True)
class ReturnToStudio:
    result: str
    reason: str
    ref: str = ""  # of the row that keeps it


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


Verb = Speak | Listen | Wait | Enqueue | Dial | GoTo | GoOut | ReturnToStudio | HangUp
Script = tuple[Verb, ...]
