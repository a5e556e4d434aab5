"""Field figures: what no call log tells before the first offer, where each is from, the option that sets it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ivr.traffic.intervals import Range


class BadFigure(Exception):
    """An option's value is no such figure: wrong usage."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One field figure: a range that it plausibly lies in."""

    option: str
    low: float
    high: float
    what: str
    origin: str
    percent: bool = True
    most: float = 1.0
    least: float = 0.0001

    @property
    def range(self) -> Range:
        return Range(self.low, math.sqrt(self.low * self.high), self.high, f"--{self.option}")

    @property
    def shown(self) -> str:
        low, high = (f"{100 * end:.4g}" if self.percent else f"{end:.4g}" for end in (self.low, self.high))
        unit = "%" if self.percent else ""
        return f"{low}{unit}" if self.low == self.high else f"{low}-{high}{unit}"


FIGURES: tuple[Figure, ...] = (
    Figure("mobile", 0.68, 0.90, "calls from a phone that takes texts",
           "68% of US adults lived in mobile-only homes in 2021, CDC's NHIS; the upper end assumed"),
    Figure("accept", 0.08, 0.25, "of these, who accepts the offer", "assumed: no controlled figure is published"),
    Figure("reply", 0.50, 0.85, "of these, who then writes", "assumed: no controlled figure is published"),
    Figure("stretch", 1.5, 3, "a conversation's length in calls' lengths", "assumed: typing and pauses",
           percent=False, most=1000),
    Figure("concurrency", 2, 4, "conversations an agent has at once",
           "chat practice; above 2.5 quality fell in [24]7's study", percent=False, most=100, least=1),
)  # fmt: skip


def figures(said: Mapping[str, str]) -> dict[str, Figure]:
    """Every figure by its option, as it is said or else as it is known."""
    return {one.option: _said(one, said[one.option]) if said.get(one.option) else one for one in FIGURES}


def _said(figure: Figure, text: str) -> Figure:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:%?\s*[-–]\s*(\d+(?:\.\d+)?))?\s*(%?)\s*", text)
    per = 100 if found and found[3] else 1
    low, high = (float(found[1]) / per, float(found[2] or found[1]) / per) if found else (0.0, 0.0)
    if not figure.least <= low <= high <= figure.most or (found and found[3] and not figure.percent):
        example = "15% or 10-25%" if figure.percent else "2 or 2-4"
        raise BadFigure(f"--{figure.option} {text}: {figure.what}, like {example}")
    return Figure(figure.option, low, high, figure.what, "set by you", figure.percent, figure.most, figure.least)


def share(option: str, text: str) -> float:
    """One share, like `90%` or `0.9`, neither none nor all."""
    said = _said(Figure(option, 0.9, 0.9, "a share", "", most=0.9999), text)
    if said.low != said.high:
        raise BadFigure(f"--{option} {text}: one share, like 90%")
    return said.low
