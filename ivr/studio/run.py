"""The runner: a definition is run as Studio runs a call, its keys pressed by a script, the other sides played."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ivr import numbers
from ivr.studio.liquid_text import CannotRender, filled
from ivr.studio.operators import CannotMatch, holds
from ivr.studio.states import State, states

MOST_STEPS = 1000  # Twilio error 81000
MOST_IN_A_ROW = 10  # times the same widget
WORDS_A_SECOND, RECORDING, RINGS, TALKS, HOLDS = 2.5, 5.0, 20.0, 60.0, 120.0
HANG_UP = "h"

Agents = Literal["free", "nobody", "full"]


class Stopped(Exception):
    """The execution ends by a fault of the flow; one sentence."""


class CallerGone(Exception):
    """The caller hung up."""


@dataclass(slots=True)
class Run:
    """One call. `keys`: one item a prompt, "" for silence, "h" to hang up, words to say them.

    `events`: what another side's widget comes to, by its name; `given`: what it brings, `{"deflect": {"result": …}}`.
    `subflows`: by their SIDs, sound definitions too; one that is not there is a step that says so.
    """

    definition: Any
    now: datetime
    add: Callable[[str, str], None]  # who, what
    advance: Callable[[float], None]  # seconds
    caller: str = "+14155552671"
    dialled: str = "+14155550100"
    keys: Sequence[str] = ()
    agents: Agents = "free"
    events: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    subflows: Mapping[str, Any] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)
    _widgets: dict[str, dict[str, Any]] = field(default_factory=dict)
    _prompts: int = 0
    _steps: int = 0
    _parent: dict[str, Any] | None = None  # what a subflow was given

    def play(self) -> bool:
        """The whole call. False where the flow is at fault; the transcript says how."""
        self._widgets = {name: dict(brought) for name, brought in self.given.items()}
        self.add("call", f"{numbers.full(self.caller)} dials {numbers.full(self.dialled)}")
        good = True
        try:
            self._play(self.definition)
        except (Stopped, CannotRender, CannotMatch) as fault:
            good = False
            self.add("call", f"error {fault}")
        except CallerGone:
            self.add("caller", "hangs up")
        self.add("call", "ends")
        return good

    def _play(self, definition: Any) -> None:
        there = {state.name: state for state in states(definition)}
        name, before, in_a_row = str(definition["initial_state"]), "", 0
        while self._steps < MOST_STEPS:
            self._steps += 1
            in_a_row = in_a_row + 1 if name == before else 1
            if in_a_row > MOST_IN_A_ROW:
                raise Stopped(f"{name} came {MOST_IN_A_ROW} times in a row; Studio stops there")
            leads = self._after(there[name])
            if not leads:
                return
            name, before = leads, name
        raise Stopped(f"81000: more than {MOST_STEPS:,} steps")

    def _after(self, state: State) -> str:
        """The state that follows; "" ends the call."""
        if state.type == "split-based-on":
            return self._split(state)
        widget = _WIDGETS.get(state.type)
        if widget is None:
            raise Stopped(f"{state.name}: {state.type} is not played here")
        return state.leads(widget(self, state)) or ""

    def text(self, state: State, key: str) -> str:
        value = state.properties.get(key, "")
        return filled(value, self._known()) if isinstance(value, str) else str(value)

    def _known(self) -> dict[str, Any]:
        of_the_call = {"From": self.caller, "To": self.dialled, "Caller": self.caller, "Called": self.dialled}
        return {
            "trigger": {
                "parent": {"parameters": self._parent or {}},
                "call": {**of_the_call, "CallSid": "CA" + "0" * 32, "CallStatus": "in-progress"},
            },
            "contact": {"channel": {"address": self.caller}},
            "flow": {
                "variables": self._variables,
                "channel": {"address": self.dialled},
                "sid": "FN" + "0" * 32,
                "flow_sid": "FW" + "0" * 32,
            },
            "widgets": self._widgets,
        }

    def _split(self, state: State) -> str:
        for way in state.transitions:
            if way.get("event") == "match" and all(map(self._holds, way.get("conditions", []))):
                return str(way.get("next") or "")
        return state.leads("noMatch") or ""

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        asked = filled(str(condition["arguments"][0]), self._known())
        return holds(str(condition["type"]), asked, filled(str(condition["value"]), self._known()), self.now)

    def hear(self, state: State) -> None:
        """What a widget says, or plays, as often as it does."""
        words, played, digits = (self.text(state, key) for key in ("say", "play", "digits"))
        if words.strip():
            self.add("ivr", words)
            self.advance(len(words.split()) / WORDS_A_SECOND)
        elif played:
            self.add("ivr", f"(plays {played})")
            self.advance(RECORDING)
        self.advance(digits.count("w") / 2)

    def gather(self, state: State) -> str:
        self.hear(state)
        keys = self.keys[self._prompts] if self._prompts < len(self.keys) else ""
        self._prompts += 1
        if keys == HANG_UP:
            raise CallerGone
        waits = state.properties.get("timeout", 5)
        if not keys:
            self.advance(float(waits))
            return "timeout"
        if any(letter.isalpha() for letter in keys):
            self.add("caller", f"says {keys}")
            self._brought(state, SpeechResult=keys, Confidence="0.9")
            return "speech"
        self.add("caller", f"presses {keys}")
        digits, ended = _collected(state.properties, keys)
        self.advance(0.0 if ended else float(waits))
        if not digits:
            return "timeout"
        self._brought(state, Digits=digits)
        return "keypress"

    def say(self, state: State) -> str:
        self.hear(state)
        return "audioComplete"

    def set_variables(self, state: State) -> str:
        for row in state.properties.get("variables", []):
            self._variables[str(row["key"])] = filled(str(row["value"]), self._known())
        self._brought(state, **self._variables)
        return "next"

    def send(self, state: State) -> str:
        event, body = self.events.get(state.name, "sent"), self.text(state, "body")
        if event == "sent":
            self.add("text", body)
        else:
            self.add("call", "a text could not be sent")
        return event

    def ask(self, state: State) -> str:
        """A request of Studio's to somebody else; nothing leaves this machine."""
        event = self.events.get(state.name, "success")
        self.add("call", f"asks {self.text(state, 'url')}: {event}")
        return event

    def connect(self, state: State) -> str:
        to = self.text(state, "to") or self.text(state, "sip_endpoint")
        self.add("call", f"rings {numbers.full(to)}")
        status = {"free": "completed", "nobody": "no-answer", "full": "busy"}[self.agents]
        if self.agents == "free":
            self._talk(RINGS)
        elif self.agents == "nobody":
            self.advance(float(state.properties.get("timeout", 30)))
        self._brought(state, DialCallStatus=status)
        return self.events.get(state.name, "callCompleted")

    def enqueue(self, state: State) -> str:
        queue = self.text(state, "queue_name") or self.text(state, "workflow_sid") or self.text(state, "workflow")
        if self.agents == "full":
            self.add("call", f"queue {queue} is full")
            return "failedToEnqueue"
        self.add("call", f"waits in queue {queue}")
        if self.agents == "nobody":
            self.advance(HOLDS)
            raise CallerGone
        self._talk(RINGS)
        return self.events.get(state.name, "callComplete")

    def redirect(self, state: State) -> str:
        event = self.events.get(state.name, "return")
        brought = ", ".join(f"{key}={value}" for key, value in self._widgets.get(state.name, {}).items())
        self.add("call", f"goes on at {self.text(state, 'url')}: {event}{', ' if brought else ''}{brought}")
        return event

    def subflow(self, state: State) -> str:
        """The flow in the flow, where it is at hand; its variables come out as the widget's own."""
        sid, event = self.text(state, "flow_sid"), self.events.get(state.name, "completed")
        inner = self.subflows.get(sid) if event == "completed" else None
        if inner is None:
            self.add("call", f"runs {sid}: {event}")
            return event
        if self._parent is not None:
            raise Stopped(f"{state.name}: a subflow in a subflow; Studio opens one level")
        self.add("call", f"runs {sid}")
        self._inside(state, inner)
        return event

    def _inside(self, state: State, inner: Any) -> None:
        rows = state.properties.get("parameters", [])
        outer = self._variables, self._widgets
        given = {str(row["key"]): filled(str(row["value"]), self._known()) for row in rows}
        self._parent, self._variables = given, {}
        self._widgets = {name: dict(brought) for name, brought in self.given.items()}
        try:
            self._play(inner)
        finally:
            brought = self._variables
            self._parent, (self._variables, self._widgets) = None, outer
        self._brought(state, **brought)

    def _talk(self, waited: float) -> None:
        self.advance(waited)
        self.add("call", "is answered by a person")
        self.advance(TALKS)

    def _brought(self, state: State, **values: str) -> None:
        self._widgets.setdefault(state.name, {}).update(values)


def _collected(properties: Mapping[str, Any], keys: str) -> tuple[str, bool]:
    """The digits that a gather takes of the keys, and whether it ended at once."""
    most, finish = properties.get("number_of_digits", 0), properties.get("finish_on_key", "#")
    digits = ""
    for key in keys:
        if finish and key == finish:
            return digits, True
        digits += key
        if most and len(digits) == most:
            return digits, True
    return digits, False


_WIDGETS: Mapping[str, Callable[[Run, State], str]] = {
    "trigger": lambda run, _state: "incomingCall" if run._parent is None else "incomingParent",
    "gather-input-on-call": Run.gather,
    "say-play": Run.say,
    "set-variables": Run.set_variables,
    "send-message": Run.send,
    "make-http-request": Run.ask,
    "run-function": Run.ask,
    "connect-call-to": Run.connect,
    "enqueue-call": Run.enqueue,
    "send-to-flex": Run.enqueue,
    "add-twiml-redirect": Run.redirect,
    "run-subflow": Run.subflow,
}

# The widgets that come to what is said of them: their other side is not here.
OTHER_SIDES = frozenset(
    {
        "send-message",
        "make-http-request",
        "run-function",
        "connect-call-to",
        "enqueue-call",
        "send-to-flex",
        "add-twiml-redirect",
        "run-subflow",
    }
)
