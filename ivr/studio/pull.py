"""The pull: a Studio flow as a brand's file as far as it can be one, and a line for all that it cannot carry."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr import numbers
from ivr.flow.scalars import ID, RESERVED
from ivr.flow.words import PHRASES
from ivr.studio.asked import Asked, Asking, cases
from ivr.studio.branches_back import GREETING, OFFER, BranchesBack, ours
from ivr.studio.definition import Finding, Where
from ivr.studio.heard import Left
from ivr.studio.phrases_back import Phrases
from ivr.studio.states import State, own, states
from ivr.studio.ways import reached
from ivr.studio.ways_back import SENTENCE, WaysBack

_ROLE = re.compile(r"(enter|ask|otherwise|fallback|text)_(?=.)")
_WRITTEN = re.compile(r"(.*?)(?:, [a-z][a-z0-9-]*)?: written by ivr studio export --as (?:redirect|native)", re.DOTALL)
_UNSAID = {"tries": "2", "wait": "5 seconds", "confirm": "10 seconds", "accept": "1"}


@dataclass(frozen=True, slots=True)
class Pulled:
    brand: dict[str, Any]  # as the brand's file says it
    left: tuple[Finding, ...]  # in the order of the flow
    enters: str  # the menu or branch that a call begins in


def pull(definition: Any, title: str, known: Mapping[str, Any] | None = None, sender: str = "") -> Pulled:
    """`definition` has passed the check. `title`: the brand's name, unless the flow says it.

    `known`: what the brand's file says now, which the flow comes back into. `sender`: where the flow has none.
    """
    left, its = Left(), known or {}
    asking = Asking({state.name: state for state in states(definition)}, left)
    places, phrases = _Places(asking), Phrases(left)
    back = BranchesBack(asking, WaysBack(asking, places.menu_at), phrases, its.get("branches", {}))
    reading = _Reading(definition, its, asking, places, back, phrases)
    front, dialled = reading.front()
    reading.places_read()
    reading.unread()
    brand = reading.brand(title, sender, dialled, front)
    return Pulled(brand, tuple(sorted(left.found, key=lambda each: _rank(each.where))), front)


def redirects_to(definition: Any) -> str:
    """The brand of this server that a flow's redirects lead to; "" for none."""
    return next((found[0] for state in states(definition) if (found := ours(state))), "")


def _rank(where: Where) -> list[tuple[int, int, str]]:
    return [(0, step, "") if isinstance(step, int) else (1, 0, step) for step in where]


@dataclass(slots=True)
class _Places:
    """What becomes a menu or a branch, by the state it begins with, in the order in which it is met."""

    asking: Asking
    found: dict[str, tuple[str, Asked | None]] = field(default_factory=dict)  # the id there, and its question
    front: bool = True  # the next one is where the flow begins

    def at(self, name: str) -> str:
        """The id of the place that begins with a state."""
        if name not in self.found:
            asked = None if ours(self.asking.at(name)) else self.asking.asked(name)
            its = asked if asked and asked.keys else None
            self.found[name] = (self._id(name, its), its)
        return self.found[name][0]

    def menu_at(self, name: str) -> str | None:
        if self.asking.gather_after(name) is None:
            return None
        its = self.at(name)
        asked = self.found[name][1]
        return its if asked and not self.offers(asked) else None

    def offers(self, asked: Asked) -> bool:
        """Whether a question is an offer: its one key sends the text."""
        state = self.asking.at(next(iter(asked.keys.values())))
        return len(asked.keys) == 1 and state is not None and state.type == "send-message"

    def _id(self, name: str, asked: Asked | None) -> str:
        is_menu = asked is not None and not self.offers(asked)
        called = self._slug(name)
        if is_menu and self.front and "enter_menu" not in self.asking.there:
            called = "menu"
        self.front = False
        taken = {each for each, _ in self.found.values()} | (RESERVED - {"menu"} if is_menu else RESERVED)
        tries = (called, *(f"{called[:28]}-{number}" for number in range(2, 1001)))
        return next(each for each in tries if each not in taken)

    def _slug(self, name: str) -> str:
        state = self.asking.at(name)
        if its := ours(state):
            return its[1]
        bare = re.sub(r"[^a-z0-9]+", "-", _ROLE.sub("", name, count=1).lower()).strip("-")[:32]
        return bare if ID.fullmatch(bare) else f"place-{bare}".strip("-")[:32]


@dataclass(slots=True)
class _Reading:
    definition: Any
    known: Mapping[str, Any]
    asking: Asking
    places: _Places
    back: BranchesBack
    phrases: Phrases
    menus: dict[str, Any] = field(default_factory=dict)
    branches: dict[str, Any] = field(default_factory=dict)

    def front(self) -> tuple[str, dict[str, str]]:
        """Where a call enters, and the numbers that enter elsewhere."""
        trigger = self.asking.there[str(self.definition["initial_state"])]
        self.asking.used.add(trigger.name)
        first = trigger.leads("incomingCall") or ""
        for _, event, leads in trigger.ways:
            if leads and event not in ("incomingCall", "incomingParent"):
                self.asking.left.add(trigger, f"{event}: a brand's file is about calls")
        split = self.asking.at(first)
        if split is None or "trigger.call.To" not in str(split.properties.get("input", "")):
            return self._enter(first, trigger), {}
        self.asking.used.add(split.name)
        front = self._enter(split.leads("noMatch") or "", trigger)
        dialled = {}
        for way in (each for each in split.transitions if each.get("event") == "match"):
            its = own(split, way)
            number = numbers.read(str(its["value"])) if its and its["type"] == "equal_to" else None
            if number and way.get("next"):
                dialled[number.e164] = self._enter(str(way["next"]), split)
            else:
                self.asking.left.add(split, f"the case {cases(way)}; here numbers enter places")
        return front, dialled

    def _enter(self, name: str, at: State) -> str:
        state = self.asking.passed(name)
        if state is None:
            self.asking.left.add(at, "no call gets anywhere; a branch is made for it")
        return self.places.at(state.name if state else at.name)

    def places_read(self) -> None:
        """Each place, and those that it leads to."""
        done = 0
        while done < len(self.places.found):
            name, (called, asked) = list(self.places.found.items())[done]
            done += 1
            state = self.asking.there[name]
            if asked and not self.places.offers(asked):
                self.menus[called] = self._menu(asked)
            elif asked:
                self.branches[called] = {**self._kept(called), **self.back.native(asked)}
            elif ours(state):
                self.branches[called] = self.back.redirected(state)
            else:
                self.branches[called] = self.back.alone(name, state)
        for words in self.back.ways.nobody.values():
            self.phrases.add("nobody", words, next(iter(self.asking.there.values())))

    def _kept(self, branch: str) -> dict[str, Any]:
        """What the brand's file says of a branch, and no flow could: its skill, its hours."""
        known = self.known.get("branches", {}).get(branch, {})
        return {key: value for key, value in known.items() if key != "fallback"}

    def _menu(self, asked: Asked) -> dict[str, Any]:
        press = {}
        for key, leads in asked.keys.items():
            state = self.asking.passed(leads)
            if state is None:
                self.asking.left.add(asked.gather, f"the key {key} ends the call; here it is a wrong one")
            else:
                press[key] = self.places.at(state.name)
        if asked.silent != asked.wrong:
            ends = [leads or "the end" for leads in (asked.silent, asked.wrong)]
            self.asking.left.add(asked.gather, f"silence leads to {ends[0]}, another key to {ends[1]}; here as the key")
        if asked.tries > 1 and not asked.patient:
            self.asking.left.add(asked.gather, "silence is not asked again; here it is, as a wrong key")
        self.phrases.add("wrong_key", asked.sorry, asked.gather)
        if not asked.prompt:
            self.asking.left.add(asked.gather, "says nothing; write the menu's `say`")
        otherwise, fallback = self.back.ways.put(asked.wrong, asked.gather)
        menu = {"say": asked.prompt or "Please press a key.", "press": press, "otherwise": otherwise}
        return {**menu, **({"fallback": fallback} if fallback else {}), "tries": asked.tries, "wait": asked.wait}

    def unread(self) -> None:
        """What a call can reach, and found no place here."""
        for name in reached(str(self.definition["initial_state"]), self.asking.there):
            state = self.asking.there[name]
            if name not in self.asking.used:
                self.asking.left.add(state, f"{state.type}: has no place in a brand's file, and is left out")

    def brand(self, title: str, sender: str, dialled: Mapping[str, str], front: str) -> dict[str, Any]:
        written = _WRITTEN.fullmatch(str(self.definition.get("description", "")))
        brand: dict[str, Any] = {"name": (written[1] if written else "") or title}
        brand |= copy.deepcopy(dict(self.known))
        voice = self.asking.left.voice()
        brand |= {key: value for key, value in voice.items() if brand.get(key, {"language": "en-US"}.get(key)) != value}
        its_numbers = {str(number): dialled.get(_e164(number), front) for number in brand.get("numbers", {})}
        its_numbers |= {number: place for number, place in dialled.items() if number not in map(_e164, its_numbers)}
        brand |= {"numbers": its_numbers} if its_numbers else {}
        brand |= self._sender(brand, sender)
        phrases = {**brand.get("phrases", {}), **self.phrases.found(brand["name"], brand.get("phrases", {}))}
        nobody = {"say": phrases.get("nobody", PHRASES["nobody"])}
        places = {**self.menus, **self.branches}
        for name, place in places.items():
            places[name] = self._shortened(place, nobody)
        if main := {name: places[name] for name in self.menus if name == "menu"}:
            brand |= main
        others = {**brand.get("menus", {}), **{name: places[name] for name in self.menus if name != "menu"}}
        brand |= {"menus": others} if others else {}
        brand["branches"] = {**brand.get("branches", {}), **{name: places[name] for name in self.branches}}
        brand["branches"] = brand["branches"] or self._no_branch()
        return {**brand, **({"phrases": phrases} if phrases else {})}

    def _no_branch(self) -> dict[str, Any]:
        trigger = self.asking.there[str(self.definition["initial_state"])]
        self.asking.left.add(trigger, "nothing offers a text; a branch `offer` is there to be written, and led to")
        return {"offer": {"offer": OFFER, "greeting": GREETING, "otherwise": dict(SENTENCE)}}

    def _sender(self, brand: Mapping[str, Any], sender: str) -> dict[str, Any]:
        found = list(self.back.senders.items())
        for other, state in found[1:]:
            self.asking.left.add(state, f"texts come from {numbers.full(other)} here; a brand has one sender")
        if found or sender:
            return {"sender": {**brand.get("sender", {}), "sms": found[0][0] if found else sender}}
        if "sender" not in brand:
            trigger = self.asking.there[str(self.definition["initial_state"])]
            self.asking.left.add(trigger, "no number texts are sent from is in the flow; say it with --sender")
        return {}

    def _shortened(self, place: dict[str, Any], nobody: Mapping[str, Any]) -> dict[str, Any]:
        """A place without what the brand says anyway."""
        kept = dict(place)
        for key, unsaid in _UNSAID.items():
            if isinstance(kept.get(key), int):  # as the flow has it; the file's own stay as they are
                unit = "" if key == "tries" else " second" if kept[key] == 1 else " seconds"
                kept[key] = f"{kept[key]}{unit}"
            if kept.get(key) == str(self.known.get(key, unsaid)) and key not in self.known:
                del kept[key]
        known = self.known.get("fallback")
        if "fallback" not in kept and isinstance(known, dict) and "studio" in known:
            kept["fallback"] = dict(nobody)  # that one would be its own, and a menu may not lead back to Studio
        elif kept.get("fallback") == (known or nobody):
            kept.pop("fallback", None)
        return kept


def _e164(number: Any) -> str:
    read = numbers.read(str(number))
    return read.e164 if read else str(number)
