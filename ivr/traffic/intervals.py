"""Intervals of 95 %, each with its method's name: rates, counts, weekly volumes, middles, and products of them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Range:
    """A figure, from where to where it may lie, how that was found, and out of how many."""

    low: float
    middle: float
    high: float
    method: str
    sample: int | None = None


def wilson(hits: int, of: int) -> Range | None:
    """A rate: the score interval of E. B. Wilson (1927), which holds for small samples too; None of 0."""
    if not of:
        return None
    rate, square = hits / of, _Z * _Z
    centre = (rate + square / (2 * of)) / (1 + square / of)
    half = _Z / (1 + square / of) * math.sqrt(rate * (1 - rate) / of + square / (4 * of * of))
    low, high = 0.0 if hits == 0 else centre - half, 1.0 if hits == of else centre + half
    return Range(max(0.0, low), rate, min(1.0, high), "Wilson", of)


def poisson(hits: int, per: float = 1.0) -> Range:
    """A count, in units of `per`: Byar's approximation of the exact limits (Breslow and Day, 1987)."""
    low = hits * (1 - 1 / (9 * hits) - _Z / (3 * math.sqrt(hits))) ** 3 if hits else 0.0
    more = hits + 1
    high = more * (1 - 1 / (9 * more) + _Z / (3 * math.sqrt(more))) ** 3
    return Range(low / per, hits / per, high / per, "Poisson", hits)


def student(values: Sequence[float], unit: str) -> Range:
    """A mean of four values or more: Student's t."""
    size, mean = len(values), math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (size - 1))
    half = t_quantile(size - 1) * spread / math.sqrt(size)
    return Range(max(0.0, mean - half), mean, mean + half, f"t over {size:,} {unit}", size)


def t_quantile(degrees: int) -> float:
    """Student's t that 97.5 % lie below, for three degrees and more (Abramowitz and Stegun, 26.7.5)."""
    z, v = _Z, float(degrees)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )


def median(ordered: Sequence[float]) -> Range | None:
    """The middle of sorted values, and those at ranks n/2 ± 1.96 √n/2 (order statistics: Conover, 1999)."""
    size = len(ordered)
    if not size:
        return None
    half = _Z * math.sqrt(size) / 2
    low = ordered[max(0, math.floor(size / 2 - half) - 1)] if size > 1 else ordered[0]
    high = ordered[min(size - 1, math.ceil(size / 2 + half))]
    return Range(low, percentile(ordered, 50), high, "order statistics", size)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Of sorted values, between its two neighbours in proportion."""
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def product(factors: Iterable[Range], divisors: Iterable[Range] = ()) -> Range:
    """A product of figures that do not depend on each other: their relative errors add as squares, on a log scale.

    The usual propagation of errors (JCGM 100:2008, 5.1), taken on logarithms so that no limit falls below zero; each
    side of a range counts for itself.
    """
    over, under = list(factors), list(divisors)
    if any(part.middle == 0 for part in over):
        return Range(
            0.0, 0.0, math.prod(part.high for part in over) / math.prod(part.middle for part in under), "product"
        )
    middle = math.prod(part.middle for part in over) / math.prod(part.middle for part in under)
    down = math.hypot(*map(_fall, over), *map(_rise, under))
    up = math.hypot(*map(_rise, over), *map(_fall, under))
    return Range(middle * math.exp(-down), middle, middle * math.exp(up), "product")


def _fall(part: Range) -> float:
    return math.log(part.middle / part.low) if part.low else math.inf


def _rise(part: Range) -> float:
    return math.log(part.high / part.middle)
