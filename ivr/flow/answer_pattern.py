"""A brand's pattern for an answer: a small part of regular expressions, matched without ever going back. Pure."""

import re
from dataclasses import dataclass

LONGEST = 200  # characters of a pattern
MOST = 64  # times that a character is repeated at most

_ATOM = re.compile(
    r"\\(?P<escaped>.)|\[(?P<but>\^)?(?P<set>(?:\\.|[^\]\\])+)\]|(?P<any>\.)|(?P<plain>[^\\\[\](){}|*+?^$.])", re.DOTALL
)
_TIMES = re.compile(r"\{(\d{1,2})(?:(,)(\d{0,2}))?\}|([?*+])")
_IN_A_SET = re.compile(r"\\(?P<escaped>.)|(?P<low>[^\\])-(?P<high>[^\\])|(?P<plain>[^\\])", re.DOTALL)
_CLASSES = {"d": (("0", "9"),), "w": (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")), "s": ((" ", " "),)}
_SIGNS = {"?": (0, 1), "*": (0, MOST), "+": (1, MOST)}
_ALLOWED = r"letters, digits, \d, \w, [A-Z], a dot, ?, *, +, {2,5} and |"

Spans = tuple[tuple[str, str], ...]


class PatternFault(ValueError):
    """What is wrong with a pattern, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One of some characters, `least` to `most` times."""

    spans: Spans
    but: bool  # every character except these
    least: int
    most: int

    def takes(self, letter: str) -> bool:
        return any(low <= letter <= high for low, high in self.spans) is not self.but


@dataclass(frozen=True, slots=True)
class AnswerPattern:
    """Alternatives, each a row of pieces. The time to match is the product of both lengths at most."""

    written: str
    choices: tuple[tuple[Piece, ...], ...]

    def matches(self, text: str) -> bool:
        return any(_matches(pieces, text) for pieces in self.choices)


def _matches(pieces: tuple[Piece, ...], text: str) -> bool:
    """All the places where a match of the pieces so far may end, at once: there is nothing to try again."""
    ends = {0}
    for piece in pieces:
        reached: set[int] = set()
        for start in ends:
            place = start
            while place - start < piece.most and place < len(text) and piece.takes(text[place]):
                place += 1
            reached.update(range(start + piece.least, place + 1))
        ends = reached
    return len(text) in ends


def answer_pattern(written: str) -> AnswerPattern:
    """Raises PatternFault."""
    if len(written) > LONGEST:
        raise PatternFault(f"has {len(written):,} characters; at most {LONGEST}")
    text = written.removeprefix("^")
    text = text[:-1] if text.endswith("$") and not text.endswith("\\$") else text
    choices: list[list[Piece]] = [[]]
    place = 0
    while place < len(text):
        if text[place] == "|":
            choices.append([])
            place += 1
            continue
        piece, place = _piece(text, place)
        choices[-1].append(piece)
    if any(_matches(tuple(pieces), "") for pieces in choices):
        raise PatternFault("takes an empty answer; write at least one character")
    return AnswerPattern(written, tuple(map(tuple, choices)))


def _piece(text: str, place: int) -> tuple[Piece, int]:
    atom = _ATOM.match(text, place)
    if atom is None:
        raise PatternFault(f"{text[place]!r} is too much for a pattern here; allowed: {_ALLOWED}")
    times = _TIMES.match(text, atom.end())
    least, most = _times(times)
    if least > most or most == 0:
        raise PatternFault(f"{text[atom.end() :][:7]!r} repeats nothing; write it like {{2,5}}")
    spans, but = _spans(atom), bool(atom["but"] or atom["any"])
    return Piece(spans, but, least, min(most, MOST)), times.end() if times else atom.end()


def _times(found: re.Match[str] | None) -> tuple[int, int]:
    if found is None:
        return 1, 1
    if found[4]:
        return _SIGNS[found[4]]
    least = int(found[1])
    return least, least if not found[2] else int(found[3] or MOST)


def _spans(atom: re.Match[str]) -> Spans:
    if atom["any"]:
        return ()
    if atom["set"] is None:
        return _escaped(atom["escaped"]) if atom["escaped"] else ((atom["plain"], atom["plain"]),)
    found: list[tuple[str, str]] = []
    for part in _IN_A_SET.finditer(atom["set"]):
        if part["low"] is not None and part["low"] > part["high"]:
            raise PatternFault(f"{part[0]!r} is no range; write the lower one first")
        low = part["low"] or part["plain"]
        found += _escaped(part["escaped"]) if part["escaped"] else [(low, part["high"] or low)]
    return tuple(found)


def _escaped(letter: str) -> Spans:
    if letter in _CLASSES:
        return _CLASSES[letter]
    if letter.isalnum():
        raise PatternFault(f"{chr(92) + letter!s} is too much for a pattern; allowed: {_ALLOWED}")
    return ((letter, letter),)
