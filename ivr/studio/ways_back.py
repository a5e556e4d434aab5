"""Ways back: the widgets after a question as `otherwise` and `fallback`, and what follows where they fail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ivr.flow.words import PHRASES
from ivr.studio.asked import Asking, cases
from ivr.studio.heard import joined, spoken
from ivr.studio.kinds import has_liquid
from ivr.studio.sayings import CALLER
from ivr.studio.states import State, own

SENTENCE = {"say": PHRASES["nobody"]}
MOST_FOLLOWED = 50  # widgets of one way on
Exit = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WaysBack:
    asking: Asking
    menu_at: Callable[[str], str | None]  # the name of the menu that begins at a state
    nobody: dict[str, Any] = field(default_factory=dict)  # what is said where a fallback itself fails
    reading: set[str] = field(default_factory=set)  # the states that a way on is just read from

    def put(self, name: str, at: State) -> tuple[Exit, Exit | None]:
        """`otherwise` from the state `name` on, and its `fallback` where it can fail. `at`: whence it leads there."""
        way, failed = self._way(name, at)
        if failed is None:
            return way, None
        fallback, failed_too = self._way(failed, at)
        if failed_too is not None:
            words, _ = self._way(failed_too, at)
            heard = self.nobody.setdefault("nobody", words.get("say"))
            if words.get("say") != heard or "say" not in words:
                self.asking.left.add(at, f"a third way on, {failed_too}; here `fallback` is the last")
        return way, fallback

    def _way(self, name: str, at: State) -> tuple[Exit, str | None]:
        """A way on, and the state that follows where it fails; None for one that cannot."""
        state = self.asking.passed(name)
        if state is None:
            self.asking.left.add(at, "the call ends without a word; here a sentence is said")
            return dict(SENTENCE), None
        if menu := self.menu_at(state.name):
            return {"menu": menu}, None
        self.asking.used.add(state.name)
        if len(self.reading) >= MOST_FOLLOWED:
            self._left(state, f"over {MOST_FOLLOWED} widgets follow one another here; a sentence is said instead")
            return dict(SENTENCE), None
        way = _WAYS.get(state.type) if state.name not in self.reading else None
        self.reading.add(state.name)
        found = way(self, state) if way else None
        self.reading.discard(state.name)
        if found is None:
            self._left(state, f"{state.type} cannot stand here; a sentence is said instead")
            return dict(SENTENCE), None
        return found

    def _left(self, state: State, message: str) -> None:
        self.asking.left.add(state, message)

    def queue(self, state: State) -> tuple[Exit, str | None] | None:
        queue = str(state.properties.get("queue_name", ""))
        if not 1 <= len(queue) <= 64 or has_liquid(queue):
            return None
        for key in ("task_attributes", "priority", "timeout", "wait_url"):
            if state.properties.get(key):
                self._left(state, f"{key}: a queue here has none")
        if after := state.leads("callComplete"):
            self._left(state, f"after the queue, {after} does not follow here")
        failed = state.leads("failedToEnqueue") or ""
        if (other := state.leads("callFailure") or "") != failed:
            self._left(state, f"callFailure leads to {other or 'the end'}; here it goes where a full queue does")
        return {"queue": queue}, failed

    def dial(self, state: State) -> tuple[Exit, str | None] | None:
        noun = state.properties.get("noun")
        to = str(state.properties.get({"number": "to", "sip": "sip_endpoint"}.get(str(noun), ""), ""))
        if not to or has_liquid(to):
            return None
        plain = {"noun", "to", "sip_endpoint", "offset"}
        unsaid = {"caller_id": CALLER, "record": False, "timeout": 30}
        for key, value in state.properties.items():
            if key not in plain and value != unsaid.get(key):
                self._left(state, f"{key}: a call that is led on has none here")
        return {"dial": to}, self._after_dial(state)

    def _after_dial(self, state: State) -> str:
        after = self.asking.at(state.leads("callCompleted") or "")
        if hung := state.leads("hangup"):
            self._left(state, f"hangup: {hung} does not follow here")
        if after is None:
            return ""
        if f"widgets.{state.name}.DialCallStatus" not in str(after.properties.get("input", "")):
            self._left(state, f"callCompleted: {after.name} follows an answered call too; here only one that was not")
            return after.name
        self.asking.used.add(after.name)
        for way in (each for each in after.transitions if each.get("event") == "match"):
            condition = own(after, way)
            operator, value = (str(condition[key]) for key in ("type", "value")) if condition else ("", "")
            values = {value.strip()} if operator == "equal_to" else {part.strip() for part in value.split(",")}
            ends = operator in ("equal_to", "matches_any_of") and values <= {"completed", "answered"}
            if way.get("next") or not ends:
                self._left(after, f"the case {cases(way)}: here a call was answered, or was not")
        return after.leads("noMatch") or ""

    def say(self, state: State) -> tuple[Exit, str | None] | None:
        said, seen = spoken(state, self.asking.left), {state.name}
        follows = self.asking.at(state.leads("audioComplete") or "")
        while follows and follows.name not in seen and follows.type == "say-play":
            self.asking.used.add(follows.name)
            seen.add(follows.name)
            more = joined(said, spoken(follows, self.asking.left))
            if more is None:
                self._left(follows, "a text and a recording; a brand's last words are one of them")
            said = said if more is None else more
            follows = self.asking.at(follows.leads("audioComplete") or "")
        if follows is None:
            return ({"say": said}, None) if said else None
        self._left(state, f"is not said here before {follows.name}")
        return self._way(follows.name, state) if follows.name not in seen else None

    def redirect(self, state: State) -> tuple[Exit, str | None] | None:
        url = str(state.properties.get("url", ""))
        if has_liquid(url):
            return None
        if str(state.properties.get("method") or "POST") != "POST":
            self._left(state, "GET: a redirect here is a POST")
        return {"redirect": url}, state.leads("fail") or ""


_WAYS: dict[str, Callable[[WaysBack, State], tuple[Exit, str | None] | None]] = {
    "enqueue-call": WaysBack.queue,
    "connect-call-to": WaysBack.dial,
    "say-play": WaysBack.say,
    "add-twiml-redirect": WaysBack.redirect,
}
