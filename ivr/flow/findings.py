"""A finding: what is wrong in a brand's file, where, and what is allowed there."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in a file, counted from 1 as editors do."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    file: str
    place: Place
    message: str
    severity: str = "error"

    def __str__(self) -> str:
        line = f"{self.file}:{self.place.line}:{self.place.column}: {self.severity}: {self.message}"
        return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)


def near(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that `word` most likely meant, or None."""
    matches = get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown(word: str, what: str, allowed: Iterable[str]) -> str:
    """One sentence for a word nobody knows: the near miss where there is one, else all that is allowed."""
    choices = sorted(set(allowed))
    meant = near(word, choices)
    if meant:
        return f"{word}: unknown {what}; did you mean {meant}?"
    return f"{word}: unknown {what}; allowed: {', '.join(choices) or 'none'}"
