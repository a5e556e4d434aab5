"""Heard: what a widget says, as a brand's file writes it; Liquid that a brand's words know goes back to its name."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.studio.definition import Finding
from ivr.studio.kinds import OUTPUT, TAG
from ivr.studio.states import State

_LIQUID = re.compile(f"{OUTPUT}|{TAG}", re.DOTALL)
_OPENS = re.compile(r"\{[{%#]")
_KNOWN = {
    "contact.channel.address": "{{ caller }}",
    "trigger.call.From": "{{ caller }}",
    "contact.channel.address | slice: -4, 4": "{{ ending }}",
}
_HOW = ("voice", "language")


@dataclass(slots=True)
class Left:
    """What could not be carried, each once, by the state that it is about."""

    found: dict[Finding, None] = field(default_factory=dict)
    voices: Counter[tuple[str, str]] = field(default_factory=Counter)  # voice and language
    spoken: list[tuple[State, tuple[str, str]]] = field(default_factory=list)

    def add(self, state: State, message: str, *steps: str) -> None:
        self.found[Finding((*state.where, *steps), message, "warning", state.name)] = None

    def voice(self) -> Mapping[str, str]:
        """The voice and the language that most widgets have; the others are told."""
        most = self.voices.most_common(1)[0][0] if self.voices else ("", "")
        for state, its in self.spoken:
            if its != most:
                shown = ", ".join(filter(None, its)) or "Twilio's own voice"
                self.add(state, f"speaks as {shown}; a brand has one voice and language", "properties")
        return {key: value for key, value in zip(_HOW, most, strict=True) if value}


def spoken(state: State, left: Left) -> str | dict[str, str]:
    """A text, or a recording; "" where nothing is said."""
    properties = state.properties
    if properties.get("loop", 1) not in (1, None):
        left.add(state, f"is said {properties['loop']} times; a brand's words are said once", "properties", "loop")
    if played := properties.get("play"):
        if "{{" in str(played):
            left.add(state, "a recording whose URL only the call knows", "properties", "play")
            return ""
        return {"play": str(played)}
    if not (said := properties.get("say")):
        return ""
    how = (str(properties.get("voice") or ""), str(properties.get("language") or ""))
    left.voices[how] += 1
    left.spoken.append((state, how))
    return text(str(said), state, "say", left)


def text(value: str, state: State, key: str, left: Left) -> str:
    """As a template of ours. What only Studio knows is told and left out."""
    parts, end = [], 0
    for found in _LIQUID.finditer(value):
        known = _KNOWN.get(" ".join((found[1] or "").split()))
        if known is None:
            left.add(state, f"{found[0][:60]}: only Studio knows it; nothing is said there", "properties", key)
        parts += [_literal(value[end : found.start()]), known or ""]
        end = found.end()
    return "".join((*parts, _literal(value[end:]))).strip()


def _literal(value: str) -> str:
    return _OPENS.sub(lambda found: f'{{{{ "{found[0]}" }}}}', value)


def joined(before: Any, after: Any) -> Any:
    """One saying of two, where both are texts; None where that cannot be."""
    if not before or not after:
        return before or after
    return f"{before} {after}" if isinstance(before, str) and isinstance(after, str) else None
