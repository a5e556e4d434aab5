"""A finding: what is wrong in a brand's file, where, and what is allowed there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Literal

Severity = Literal["error", "warning"]

MOST_COMPARED = 300  # words; comparing every name of a huge file with every other would take minutes
MOST_LETTERS = 64  # of a word that is compared; the time is the product of both words' letters
MOST_LISTED = 25


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in a file, counted from 1 as editors do."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """`str()` is the contract's one line; `quoted` and `hint` are for a person at a terminal.

    `quoted`: the line of the file that the finding is about. `hint`: lines of YAML that mend it when pasted.
    """

    file: str
    place: Place
    message: str
    severity: Severity = "error"
    quoted: str = ""
    hint: tuple[str, ...] = ()

    def __str__(self) -> str:
        return printable(f"{self.file}:{self.place.line}:{self.place.column}: {self.severity}: {self.message}")


def printable(text: str) -> str:
    """`text` on one line and without a terminal's commands, whatever a file says."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def near(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that `word` most likely meant, or None."""
    if len(word) > MOST_LETTERS:
        return None
    return _near(word, tuple(choice for choice in allowed if len(choice) <= MOST_LETTERS))


@lru_cache(maxsize=256)  # a mistake is often made again, and each is asked about twice
def _near(word: str, allowed: tuple[str, ...]) -> str | None:
    # Words of other lengths cannot reach the cutoff: the shorter one has 3/7 of the longer one's letters at least.
    alike = (choice for choice in allowed if 7 * min(len(choice), len(word)) >= 3 * max(len(choice), len(word)))
    matches = get_close_matches(word, list(islice(alike, MOST_COMPARED)), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown(word: str, what: str, allowed: Collection[str]) -> str:
    """One sentence for a word nobody knows: the near miss where there is one, else all that is allowed."""
    meant = near(word, allowed)
    word = word if len(word) <= 60 else f"{word[:60]}…"
    if meant:
        return f"{word}: unknown {what}; did you mean {meant}?"
    choices = sorted(allowed)
    more = f" and {len(choices) - MOST_LISTED:,} more" if len(choices) > MOST_LISTED else ""
    return f"{word}: unknown {what}; allowed: {', '.join(choices[:MOST_LISTED]) or 'none'}{more}"
