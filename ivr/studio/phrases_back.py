"""Phrases back: the built-in sentences as a flow says them, where they are not the ones that are there anyway."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.flow.words import PHRASES
from ivr.studio.heard import Left
from ivr.studio.states import State

_ACCEPT, _BRAND = re.compile(r"\{\{\s*accept\s*\}\}"), re.compile(r"\{\{\s*brand\s*\}\}")


@dataclass(slots=True)
class Phrases:
    left: Left
    heard: dict[str, list[tuple[Any, str, State]]] = field(default_factory=dict)  # what, the key that accepts, where

    def add(self, name: str, said: Any, state: State, accept: str = "") -> None:
        if said == "":
            self.left.add(state, f"says nothing; here `{name}` is said", "properties")
        if said:
            self.heard.setdefault(name, []).append((said, accept, state))

    def found(self, brand: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """Phrase to its words; without those that `known`, or this server, has already."""
        found: dict[str, Any] = {}
        for name, all_heard in self.heard.items():
            there = known.get(name, PHRASES[name])
            if isinstance(there, str):
                there = _BRAND.sub(lambda _: brand, " ".join(there.split()))
            if not all(_same(there, said, accept) for said, accept, _ in all_heard):
                found[name] = self._words(name, all_heard)
        return found

    def _words(self, name: str, all_heard: list[tuple[Any, str, State]]) -> Any:
        first, accept, _ = all_heard[0]
        templated = first.replace(accept, "{{ accept }}") if accept and isinstance(first, str) else first
        for words in (first, templated):
            if all(_same(words, said, key) for said, key, _ in all_heard):
                return words
        for said, _, state in all_heard:
            if said != first:
                self.left.add(state, f"is said in other words than elsewhere; a brand has one `{name}`", "properties")
        return first


def _same(words: Any, said: Any, accept: str) -> bool:
    return bool(said == (_ACCEPT.sub(lambda _: accept, words) if isinstance(words, str) and accept else words))
