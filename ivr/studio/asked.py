"""Asked: a gather with its split and its counter, read back as a prompt, its keys, and how often it is asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.studio.heard import Left, joined, spoken
from ivr.studio.states import State, own

_COUNTED = re.compile(r"\{\{\s*flow\.variables\.(\w+)\s*\}\}")
_MORE = re.compile(r"\{\{\s*flow\.variables\.(\w+)\s*\|\s*plus:\s*1\s*\}\}")
_COUNT = re.compile(r"[0-9]{1,4}")
_KEY = re.compile(r"[0-9*#]")
MOST_TRIES = 5
# What this server has nothing for: the call goes on as it would when all is well, or nothing matched.
_PASSED = {
    "make-http-request": "success",
    "run-function": "success",
    "run-subflow": "completed",
    "set-variables": "next",
    "split-based-on": "noMatch",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """`silent`, `wrong`: the state that follows after the last try, "" where the call ends."""

    gather: State
    prompt: Any
    keys: Mapping[str, str]
    tries: int
    wait: int
    silent: str
    wrong: str
    sorry: Any = None  # what a wrong key hears before it is asked again
    patient: bool = False  # silence is asked again, too


@dataclass(slots=True)
class Asking:
    """`used`: the names of the states that have found their place."""

    there: Mapping[str, State]
    left: Left
    used: set[str] = field(default_factory=set)

    def at(self, name: str) -> State | None:
        return self.there.get(name)

    def passed(self, name: str) -> State | None:
        """The state that a call comes to when what this server has nothing for is passed over; None where it ends."""
        seen = set[str]()
        while (state := self.at(name)) and name not in seen:
            if state.type not in _PASSED or self.gather_after(name):
                return state
            seen.add(name)
            self.used.add(name)
            event = _PASSED[state.type]
            self.left.add(state, f"{state.type}: left out; the call goes on as on {event}")
            name = state.leads(event) or ""
        return None

    def gather_after(self, name: str) -> tuple[list[State], State] | None:
        """The gather that a place begins with, and what comes before it: words, counters."""
        before: list[State] = []
        state, seen = self.at(name), set[str]()
        while state and state.name not in seen:
            seen.add(state.name)
            if state.type == "gather-input-on-call":
                return before, state
            event = {"say-play": "audioComplete", "set-variables": "next"}.get(state.type, "")
            before.append(state)
            state = self.at(state.leads(event) or "")
        return None

    def asked(self, name: str) -> Asked | None:
        found = self.gather_after(name)
        if found is None:
            return None
        before, gather = found
        self.used |= {gather.name, *(state.name for state in before)}
        keys, no_match = self._keys(gather)
        timeout = gather.leads("timeout") or ""
        counters = self._counters(before, {self._counter(no_match), self._counter(timeout)})
        wrong, tries, sorry = self._again(no_match, gather, counters)
        silent, silent_tries, heard = self._again(timeout, gather, counters)
        self._finishes(gather, keys, (silent, silent_tries, heard) == (wrong, tries, sorry))
        patient = silent_tries > 1
        if patient and silent_tries != tries:
            self.left.add(
                gather, f"silence is asked {silent_tries} times, a wrong key {tries} times; both as often here"
            )
        if heard:
            self.left.add(gather, "what silence hears before it is asked again is not said here")
        if (gather.leads("speech") or timeout) != timeout:
            self.left.add(gather, f"what is spoken leads to {gather.leads('speech')}; here keys are pressed")
        most = max(tries, silent_tries)
        prompt = self._prompt(before, gather)
        return Asked(gather, prompt, keys, most, self._wait(gather), silent, wrong, sorry, patient)

    def _prompt(self, before: list[State], gather: State) -> Any:
        prompt = spoken(gather, self.left)
        for state in reversed([state for state in before if state.type == "say-play"]):
            first = spoken(state, self.left)
            both = joined(first, prompt)
            if both is None:
                self.left.add(state, f"is not said here before {gather.name}: a recording and a text are two prompts")
            elif first:
                prompt = both
        return prompt

    def _wait(self, gather: State) -> int:
        wait = int(gather.properties.get("timeout", 5))
        if wait < 1:
            self.left.add(gather, "waits 0 seconds; one second here", "properties", "timeout")
        return max(wait, 1)

    def _finishes(self, gather: State, keys: dict[str, str], alike: bool) -> None:
        """The key that ends what is typed never is a case there. `alike`: silence and a wrong key lead the same way."""
        finish = str(gather.properties.get("finish_on_key", "#"))
        if keys.pop(finish, None) is not None:
            self.left.add(gather, f"the case {finish} never comes there: that key ends what is typed")
        if finish and not alike:
            message = f"{finish} alone is silence there; here it is a wrong key"
            self.left.add(gather, message, "properties", "finish_on_key")

    def _counter(self, name: str) -> str:
        """The variable that a split asks about; "" for any other state."""
        split = self.at(name)
        asked = str(split.properties.get("input")) if split and split.type == "split-based-on" else ""
        counted = _COUNTED.fullmatch(asked.strip())
        return counted[1] if counted else ""

    def _counters(self, before: list[State], asked: set[str]) -> dict[str, int]:
        """The variables that are set before the question, where they are numbers that are asked about after it."""
        found: dict[str, int] = {}
        for state in (each for each in before if each.type == "set-variables"):
            for row in state.properties.get("variables", []):
                if _COUNT.fullmatch(str(row["value"])) and str(row["key"]) in asked:
                    found[str(row["key"])] = int(row["value"])
                else:
                    self.left.add(state, f"the variable {str(row['key'])[:60]}; a brand's file has none")
        return found

    def _keys(self, gather: State) -> tuple[dict[str, str], str]:
        """Each key to the state that follows, and where another key leads."""
        follows = gather.leads("keypress") or ""
        split = self.at(follows)
        if split is None or split.type != "split-based-on" or "Digits" not in str(split.properties.get("input")):
            if follows and gather.properties.get("number_of_digits") != 1:
                self.left.add(gather, f"what is typed leads to {follows}; here one key is pressed at a time")
            return {}, follows
        self.used.add(split.name)
        self._typed(gather, split)
        keys: dict[str, str] = {}
        for way in split.transitions:
            if condition := own(split, way):
                self._key(split, keys, condition, str(way.get("next") or ""))
            elif way.get("event") == "match":
                self.left.add(split, f"the case {cases(way)}: asks about more than what is pressed; here it is no key")
        return keys, split.leads("noMatch") or ""

    def _typed(self, gather: State, split: State) -> None:
        """How a key is typed and read there."""
        if gather.properties.get("number_of_digits") != 1:
            self.left.add(gather, "several keys may be typed; here the first one is taken at once")
        asked = str(split.properties["input"])
        if " ".join(asked.split()) not in (
            f"{{{{widgets.{gather.name}.Digits}}}}",
            f"{{{{ widgets.{gather.name}.Digits }}}}",
        ):
            self.left.add(split, f"{asked[:60]}: here the key alone is asked about")

    def _key(self, split: State, keys: dict[str, str], condition: Mapping[str, Any], leads: str) -> None:
        operator, value = str(condition["type"]), str(condition["value"])
        values = value.split(",") if operator == "matches_any_of" else [value]
        for each in (its.strip() for its in values):
            if operator in ("equal_to", "matches_any_of") and _KEY.fullmatch(each):
                keys.setdefault(each, leads)
            else:
                self.left.add(split, f"the case {operator} {value[:40]}; here a case is one key")

    def _again(self, name: str, gather: State, counters: Mapping[str, int]) -> tuple[str, int, Any]:
        """The state after the last try, how many there are, and what is said before another one."""
        split, counter = self.at(name), self._counter(name)
        if split and counter in counters:
            last = _only_match(split)
            back = self._back(split.leads("noMatch") or "", gather)
            if last and back is not None:
                tries = last[0] - counters[counter] + 1
                self.used |= {split.name, *(state.name for state in back)}
                if not 1 <= tries <= MOST_TRIES:
                    self.left.add(split, f"asks {tries} times; at most {MOST_TRIES} here")
                self._counted(back, split, counter)
                says = [spoken(state, self.left) for state in back if state.type == "say-play"]
                return last[1], min(max(tries, 1), MOST_TRIES), says[0] if says else None
        back = self._back(name, gather)
        if back and any(state.type == "say-play" for state in back):
            # Asked without end: the words between are the only difference from leading to the menu itself.
            self.used |= {state.name for state in back}
            self.left.add(back[0], f"is not said here before {gather.name} is asked again")
            return gather.name, 1, None
        return name, 1, None

    def _counted(self, back: list[State], split: State, counter: str) -> None:
        """Told where the way back counts by other steps than one, and what else it sets."""
        more = 0
        for state in back:
            for row in state.properties.get("variables", ()) if state.type == "set-variables" else ():
                counts = _MORE.fullmatch(str(row["value"]).strip())
                if str(row["key"]) == counter and counts and counts[1] == counter:
                    more += 1
                else:
                    self.left.add(state, f"the variable {str(row['key'])[:60]}; a brand's file has none")
        if more != 1:
            self.left.add(split, f"{counter} is not counted up by one on the way back; here each try counts")

    def _back(self, name: str, gather: State) -> list[State] | None:
        """The words and counters on the way back to the same question; None where it does not lead back."""
        found = self.gather_after(name)
        if found is None or found[1] is not gather or sum(each.type == "say-play" for each in found[0]) > 1:
            return None
        return found[0]


def _only_match(split: State) -> tuple[int, str] | None:
    matches = [way for way in split.transitions if way.get("event") == "match"]
    condition = own(split, matches[0]) if len(matches) == 1 else None
    if condition is None or condition["type"] != "equal_to" or not _COUNT.fullmatch(str(condition["value"])):
        return None
    return int(condition["value"]), str(matches[0].get("next") or "")


def cases(way: Mapping[str, Any]) -> str:
    """A match in words."""
    return " and ".join(f"{each['type']} {str(each['value'])[:40]}" for each in way.get("conditions") or ())[:120]
