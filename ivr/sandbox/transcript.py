"""The transcript: one event a line, `mm:ss  who  what`, as the contract writes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock

from ivr.sandbox.clock import Clock


@dataclass(frozen=True, slots=True)
class Event:
    seconds: float
    who: str
    what: str

    def __str__(self) -> str:
        minutes, seconds = divmod(int(self.seconds), 60)
        return f"{minutes:02d}:{seconds:02d}  {self.who:<8}  {self.what}"


@dataclass(slots=True)
class Transcript:
    clock: Clock
    show: Callable[[Event], None] = lambda _event: None
    events: list[Event] = field(default_factory=list)
    ahead_of_next: str = ""  # what is said of the call before the next event, should there be one
    _lock: RLock = field(default_factory=RLock)

    def add(self, who: str, what: str) -> None:
        with self._lock:
            if said := self.ahead_of_next:
                self.ahead_of_next = ""
                self.add("call", said)
            event = Event(self.clock.now, who, " ".join(what.split()))
            self.events.append(event)
            self.show(event)

    def said(self, who: str) -> list[str]:
        """All that `who` did, in order."""
        return [event.what for event in self.events if event.who == who]

    def __str__(self) -> str:
        return "\n".join(str(event) for event in self.events)
