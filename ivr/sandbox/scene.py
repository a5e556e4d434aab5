"""A scene: who calls, what they press and write, and how the world is meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

CALLER = "+14155552671"


class TownError(Exception):
    """The town cannot be built, or has no such place; one clear line says why."""


@dataclass(frozen=True, slots=True)
class Scene:
    brand: str
    branch: str = ""
    caller: str = CALLER
    dialled: str = ""
    keys: Sequence[str] = ()  # one item a prompt
    texts: Sequence[str] = ()  # what the consumer writes after the call
    answers: Sequence[str] = ()  # what the agent writes, one after each text of the consumer's
    handset: str = "mobile"
    twilio: str = "up"  # a day, or a script of days: "busy,busy,up"
    callbacks: str = "prompt"
    desk: str = "up"  # LivePerson's day, or a script of days
    agents: str = "free"
    holds: float = 120.0  # seconds the caller waits for a person
