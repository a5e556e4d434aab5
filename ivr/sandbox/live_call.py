"""A call that a person makes: prompts are heard in real time, keys come when they are pressed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from ivr.sandbox import document
from ivr.sandbox.clock import Clock
from ivr.sandbox.document import Verb
from ivr.sandbox.live_clock import LiveClock
from ivr.sandbox.phone import Call, CallerGone
from ivr.sandbox.webhooks import Answer

KEYS = frozenset("0123456789*#")
GRACE = 8.0  # seconds that a prompt may take longer than expected, before the call goes on without word of its end

Tell = Callable[[str, dict[str, Any]], None]  # what happened, and its particulars


@dataclass(slots=True)
class Line:
    """Between a call and the phone in the browser: `tell` reaches it; `press`, `heard` and `hang_up` come from it."""

    clock: LiveClock
    tell: Tell
    gone: bool = False
    _keys: str = ""
    _listening: int = 0  # how many times the call has listened for keys so far
    _spoken: int = 0  # prompts begun
    _heard: int = 0
    _lock: Lock = field(default_factory=Lock)

    def press(self, key: str, listening: int) -> None:
        """A key for the prompt that was listening then; one that comes after its end is nobody's."""
        with self._lock:
            if listening == self._listening and key in KEYS:
                self._keys += key
        self.clock.nudge()

    def heard(self, prompt: int) -> None:
        """The phone has played that prompt to its end."""
        self._heard = max(self._heard, min(prompt, self._spoken))
        self.clock.nudge()

    def hang_up(self) -> None:
        self.gone = True
        self.clock.nudge()

    def listen(self) -> int:
        """Begin anew; what keys name that are pressed from now on."""
        with self._lock:
            self._keys = ""
            self._listening += 1
            return self._listening

    def keys(self) -> str:
        return self._keys

    def play(self, verb: Verb, until: Callable[[], bool] = lambda: False) -> None:
        """A Say, Play or Pause, until it is over, or `until` says so."""
        if verb.tag == "Pause":
            self.pause(document.seconds(verb), until)
            return
        self._spoken += 1
        mine = self._spoken
        self.tell("prompt", {"id": mine, "seconds": document.seconds(verb), **_prompt(verb)})
        end = self.clock.now + document.seconds(verb) + GRACE
        self.clock.wait_until(end, lambda: self.gone or self._heard >= mine or until())
        self._leave_if_gone()
        if until():
            self.tell("silence", {})

    def pause(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        self.clock.wait_until(self.clock.now + seconds, lambda: self.gone or until())
        self._leave_if_gone()

    def _leave_if_gone(self) -> None:
        if self.gone:
            raise CallerGone


def _prompt(verb: Verb) -> dict[str, str]:
    if verb.tag == "Play":
        return {"play": (verb.text or "").strip()}
    return {"say": document.spoken(verb), "language": verb.get("language", ""), "voice": verb.get("voice", "")}


class OnTheLine(Clock):
    """The clock as the call sees it: what advances it waits, and stops waiting when the caller hangs up."""

    def __init__(self, line: Line) -> None:
        self.line = line

    @property
    def now(self) -> float:  # type: ignore[override]
        return self.line.clock.now

    def advance(self, seconds: float) -> None:
        self.line.pause(seconds)


class LiveCall(Call):
    """`line`: the phone that makes it."""

    line: Line

    def _hear(self, verb: Verb) -> None:
        if text := document.spoken(verb):
            self.transcript.add("ivr", text)
        self.line.play(verb)

    def _gather(self, verb: Verb) -> Answer | None:
        listening = self.line.listen()
        self.transcript.add("ivr", document.spoken(verb))
        self.line.tell("listens", {"on": True, "id": listening})
        try:
            keys = self._keys_for(verb)
        finally:
            self.line.tell("listens", {"on": False, "id": listening})
        if keys:
            self.transcript.add("caller", f"presses {keys}")
        digits, _ = document.collected(verb, keys)
        if not digits and verb.get("actionOnEmptyResult") != "true":
            return None
        extra = {"Digits": digits, "FinishedOnKey": "", "msg": "Gather End"}
        return self._fetch(verb.get("action") or self._url, extra)

    def _keys_for(self, verb: Verb) -> str:
        """Keys stop a prompt, as on any phone; each gives the caller the whole time for the next."""
        for prompt in verb:
            if not self.line.keys():
                self.line.play(prompt, lambda: bool(self.line.keys()))
        while not document.collected(verb, self.line.keys())[1]:
            before = len(self.line.keys())
            self.line.pause(float(verb.get("timeout", "5")), partial(self._has_more_than, before))
            if not self._has_more_than(before):
                break
        return self.line.keys()

    def _has_more_than(self, keys: int) -> bool:
        return len(self.line.keys()) > keys

    def _enqueue(self, verb: Verb) -> Answer | None:
        began = self.clock.now
        self.line.tell("state", {"is": "queue", "name": (verb.text or "").strip()})
        try:
            return super()._enqueue(verb)
        except CallerGone:
            if self.status != "completed":  # the caller left before their time
                self.status = "completed"
                self._after(verb, {"QueueResult": "hangup", "QueueTime": str(int(self.clock.now - began))})
            raise
        finally:
            self.line.tell("state", {"is": "talking"})

    def _dial(self, verb: Verb) -> Answer | None:
        self.line.tell("state", {"is": "ringing", "name": document.callee(verb)})
        return super()._dial(verb)

    def _talk(self) -> None:
        self.line.tell("state", {"is": "person"})
        super()._talk()

    def _waited(self, seconds: float) -> None:
        """It has passed already."""
