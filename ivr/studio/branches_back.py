"""Branches back: an offer with its text, or a redirect to this server, as a branch; and a branch for a way on alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.flow.scalars import ID
from ivr.studio.asked import Asked, Asking, cases
from ivr.studio.heard import spoken, text
from ivr.studio.phrases_back import Phrases
from ivr.studio.sayings import CALLER
from ivr.studio.states import State, own
from ivr.studio.ways_back import WaysBack

OFFER = "Press 1 and we will text you, or stay on the line."
GREETING = "{{ brand }} here. How can we help? Reply STOP to opt out."
_OURS = re.compile(rf"https?://[^/]+/voice/({ID.pattern})/({ID.pattern})\?(?:.*&)?flow=.*")
_CARRIED = {"from", "to", "body", "message_type", "offset", "service", "channel"}
_SENDER = re.compile(r"\+\d{5,15}|MG[0-9a-fA-F]{32}")


def ours(state: State | None) -> tuple[str, str] | None:
    """The brand and the branch of this server that a redirect leads to."""
    if state is None or state.type != "add-twiml-redirect":
        return None
    found = _OURS.fullmatch(str(state.properties.get("url", "")))
    return (found[1], found[2]) if found else None


@dataclass(slots=True)
class BranchesBack:
    asking: Asking
    ways: WaysBack
    phrases: Phrases
    known: Mapping[str, Any]  # the branches of a brand's file that is there already
    senders: dict[str, State] = field(default_factory=dict)

    def native(self, asked: Asked) -> dict[str, Any]:
        """A branch whose offer is a gather with one key, which sends the text."""
        ((accept, sends),) = asked.keys.items()
        state = self.asking.there[sends]
        leave = asked.silent
        if asked.patient:
            self._left(asked.gather, "silence is asked again; here it is a no")
        self._meets(asked.gather, "another key", asked.wrong, leave)
        branch = {"offer": asked.prompt or OFFER, "greeting": self._greeting(state), **self._ways(leave, asked.gather)}
        if not asked.prompt:
            self._left(asked.gather, f"offers nothing in words; read `offer`: {OFFER}")
        self.phrases.add("wrong_key", asked.sorry, asked.gather)
        self._failed(state, leave)
        return {
            **branch,
            "accept": accept,
            "tries": asked.tries,
            "wait": asked.wait,
            **self._told(state, accept, leave),
        }

    def redirected(self, state: State) -> dict[str, Any]:
        """A branch of this server; its words are in the brand's file, its ways on in the flow."""
        self.asking.used.add(state.name)
        back = self.asking.at(state.leads("return") or "")
        leave = state.leads("return") or ""
        if back and back.type == "split-based-on" and f"widgets.{state.name}.result" in str(back.properties["input"]):
            self.asking.used.add(back.name)
            leave = back.leads("noMatch") or ""
            for way in (each for each in back.transitions if each.get("event") == "match"):
                condition = own(back, way)
                if condition and condition["type"] == "equal_to":
                    self._result(back, str(condition["value"]), str(way.get("next") or ""), leave)
                else:
                    self._left(back, f"the case {cases(way)}; here a result is accepted, or it is not")
        for event in ("timeout", "fail"):
            self._meets(state, event, state.leads(event) or "", leave)
        name = (ours(state) or ("", ""))[1]
        known = dict(self.known.get(name, {}))
        if not known:
            known = {"offer": OFFER, "greeting": GREETING}
            self._left(
                state, f"the words of {name} are in this server's brand, not in the flow; write `offer` and `greeting`"
            )
        ways = self._ways(leave, state)
        return {**{key: value for key, value in known.items() if key != "fallback"}, **ways}

    def alone(self, name: str, at: State) -> dict[str, Any]:
        """A branch for a way on that no offer comes before."""
        state, body = self.asking.there[name], GREETING
        if state.type == "send-message":
            self.asking.used.add(name)
            body, name = self._greeting(state), state.leads("failed") or ""
            self._left(state, f"is sent without an offer; a branch makes one, so read `offer`: {OFFER}")
            if after := state.leads("sent"):
                self._left(state, f"after the text, {after} does not follow; this server says that it is sent")
        else:
            self._left(state, f"no text is offered here; read `offer` ({OFFER}) and `greeting`")
        return {"offer": OFFER, "greeting": body, **self._ways(name, at)}

    def _left(self, state: State, message: str) -> None:
        self.asking.left.add(state, message)

    def _ways(self, leave: str, at: State) -> dict[str, Any]:
        otherwise, fallback = self.ways.put(leave, at)
        return {"otherwise": otherwise, **({"fallback": fallback} if fallback else {})}

    def _meets(self, state: State, what: str, leads: str, leave: str) -> None:
        if leads != leave:
            self._left(state, f"{what} leads to {leads or 'the end'}; here to {leave or 'the end'}, as every no does")

    def _greeting(self, state: State) -> str:
        self.asking.used.add(state.name)
        sender = str(state.properties.get("from", ""))
        if _SENDER.fullmatch(sender):
            self.senders.setdefault(sender, state)
        if state.properties.get("to", CALLER) not in (CALLER, "{{trigger.call.From}}"):
            self._left(state, f"is sent to {str(state.properties['to'])[:60]}; here to the caller")
        for key in state.properties:
            if key not in _CARRIED:
                self._left(state, f"{key}: a greeting has none")
        body = text(str(state.properties.get("body", "")), state, "body", self.asking.left)
        if not body:
            self._left(state, f"has no words; read `greeting`: {GREETING}")
        return body or GREETING

    def _failed(self, state: State, leave: str) -> None:
        untold = self.asking.at(state.leads("failed") or "")
        if untold and untold.type == "say-play" and untold.leads("audioComplete") == leave:
            self.asking.used.add(untold.name)
            self.phrases.add("cannot_text", spoken(untold, self.asking.left), untold)
        else:
            self._meets(state, "failed", untold.name if untold else "", leave)

    def _told(self, state: State, accept: str, leave: str) -> dict[str, Any]:
        """`confirm`, where what follows the text is what this server does: words, a pause, a last question."""
        told = self.asking.at(state.leads("sent") or "")
        pause = self.asking.at(told.leads("audioComplete") or "") if told and told.type == "say-play" else None
        digits = str(pause.properties.get("digits", "")) if pause else ""
        late = (
            self.asking.gather_after(pause.leads("audioComplete") or "") if pause and digits.strip("w") == "" else None
        )
        if not (told and pause and digits and late):
            self._left(
                state, "what follows the text is this server's own: it says so, looks whether it arrived, and asks"
            )
            return {}
        self.asking.used |= {told.name, pause.name}
        self.phrases.add("sent", spoken(told, self.asking.left), told)
        asked = self.asking.asked(pause.leads("audioComplete") or "")
        assert asked  # a gather is there
        self.phrases.add("not_arrived", asked.prompt, asked.gather, accept)
        self.phrases.add("wrong_key", asked.sorry, asked.gather)
        if asked.keys != {accept: leave}:
            self._left(asked.gather, f"its keys; here {accept} alone, for the way on of a no")
        self._meets(asked.gather, "another key", asked.wrong, leave)
        self._goodbye(asked.gather, asked.silent)
        return {"confirm": len(digits) // 2}

    def _goodbye(self, at: State, name: str) -> None:
        goodbye = self.asking.at(name)
        if goodbye and goodbye.type == "say-play" and not goodbye.leads("audioComplete"):
            self.asking.used.add(name)
            self.phrases.add("goodbye", spoken(goodbye, self.asking.left), goodbye)
        else:
            self._left(at, f"leads to {name or 'the end'} where all is well; here a goodbye is said, and the call ends")

    def _result(self, back: State, result: str, leads: str, leave: str) -> None:
        if result == "accepted":
            self._goodbye(back, leads)
        else:
            self._meets(back, f"the result {result[:40]}", leads, leave)
