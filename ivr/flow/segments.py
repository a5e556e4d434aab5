"""Segments: how many SMS a text takes, counted as Twilio bills it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

# 3GPP TS 23.038 (GSM 03.38), 6.2.1: the default alphabet, and its extension table, whose characters take two septets.
DEFAULT = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")

Encoding = Literal["GSM-7", "UCS-2"]

ALONE = {"GSM-7": 160, "UCS-2": 70}
IN_PARTS = {"GSM-7": 153, "UCS-2": 67}  # six bytes of each part say which part it is


@dataclass(frozen=True, slots=True)
class Segments:
    """`characters`: as they count against `limit`: septets in GSM-7, UTF-16 code units in UCS-2.

    `forced_by`: the first character that GSM-7 does not have, "" where it has all.
    """

    encoding: Encoding
    characters: int
    count: int
    forced_by: str

    @property
    def limit(self) -> int:
        """What one text of this encoding takes."""
        return ALONE[self.encoding]


def segments(text: str) -> Segments:
    """How many SMS segments `text` takes. No character is split across two of them.

    An emoji of several code points may be split between these; Twilio keeps it together, which moves a boundary by
    a few units at most.
    """
    if DEFAULT.issuperset(text) and len(text) <= ALONE["GSM-7"]:  # nearly every text
        return Segments("GSM-7", len(text), 1, "")
    forced_by = next((letter for letter in text if letter not in DEFAULT and letter not in EXTENSION), "")
    encoding: Encoding = "UCS-2" if forced_by else "GSM-7"
    sizes = list(_sizes(text, encoding))
    total = sum(sizes)
    return Segments(encoding, total, 1 if total <= ALONE[encoding] else _parts(sizes, IN_PARTS[encoding]), forced_by)


def _sizes(text: str, encoding: Encoding) -> Iterator[int]:
    if encoding == "GSM-7":
        return (2 if letter in EXTENSION else 1 for letter in text)
    return (2 if ord(letter) > 0xFFFF else 1 for letter in text)


def _parts(sizes: list[int], room: int) -> int:
    count, free = 1, room
    for size in sizes:
        if size > free:
            count, free = count + 1, room
        free -= size
    return count
