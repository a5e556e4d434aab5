"""Intervals where one person stands for several observations: rates and differences of means, by caller."""

import math
from collections.abc import Iterable, Sequence

from ivr.traffic.intervals import Range, t_quantile

LEAST = 10  # callers on either side; of fewer nothing is said

_Z = 1.959963984540054
Value = tuple[str, float]  # the caller, and what one occasion came to


def rate(hits: Sequence[tuple[str, bool]]) -> Range | None:
    """A rate with Wilson's interval, as wide as that of so many callers: occasions of one caller are alike.

    The number of occasions is divided by the design effect (L. Kish, 1965): how much more the callers' sums vary than
    as many independent occasions would. None of nothing.
    """
    size = len(hits)
    if not size:
        return None
    met = sum(hit for _, hit in hits)
    middle = met / size
    effective = size / _design_effect(hits, middle) if 0 < met < size else size
    square = _Z * _Z
    centre = (middle + square / (2 * effective)) / (1 + square / effective)
    half = _Z / (1 + square / effective) * math.sqrt(middle * (1 - middle) / effective + square / (4 * effective**2))
    low = 0.0 if met == 0 else max(0.0, centre - half)
    return Range(low, middle, 1.0 if met == size else min(1.0, centre + half), "Wilson by caller", size)


def _design_effect(values: Iterable[tuple[str, bool]], middle: float) -> float:
    sums: dict[str, float] = {}
    size = 0
    for caller, hit in values:
        sums[caller] = sums.get(caller, 0.0) + hit - middle
        size += 1
    callers = len(sums)
    if callers < 2:
        return float(size)
    spread = math.fsum(each * each for each in sums.values()) * callers / (callers - 1)
    return max(1.0, spread / (size * middle * (1 - middle)))


def enough(ours: Sequence[Value], theirs: Sequence[Value]) -> bool:
    """Whether anything is said of the two."""
    return min(_callers(ours), _callers(theirs)) >= LEAST


def _callers(values: Sequence[Value]) -> int:
    return len({caller for caller, _ in values})


def difference(ours: Sequence[Value], theirs: Sequence[Value]) -> Range | None:
    """The mean of `theirs` less the mean of `ours`; None where either has fewer than LEAST callers."""
    found = total([(ours, theirs)])
    return times(found, 1 / len(ours)) if found else None


def total(
    strata: Sequence[tuple[Sequence[Value], Sequence[Value]]], weights: Sequence[float] | None = None
) -> Range | None:
    """Of each stratum the mean of the second less that of the first, times how many the first are, summed.

    Each times its weight; a stratum with fewer than LEAST callers on either side is left out. The variance is that of
    ratio means over callers (W. G. Cochran, Sampling Techniques, 1977), callers counted with what they bring to each
    side of each stratum; the quantile is Student's of the smallest side, less one.
    """
    parts: dict[str, float] = {}
    middle, size, least = 0.0, 0, math.inf
    for (ours, theirs), weight in zip(strata, weights or [1.0] * len(strata), strict=True):
        if not enough(ours, theirs):
            continue
        many = len(ours) * weight
        middle += many * (_shares(theirs, many, parts) - _shares(ours, -many, parts))
        size += len(ours) + len(theirs)
        least = min(least, _callers(ours), _callers(theirs))
    if not size:
        return None
    known = len(parts)
    spread = math.fsum(each * each for each in parts.values()) * known / (known - 1)
    half = t_quantile(max(3, int(least) - 1)) * math.sqrt(spread)
    return Range(middle - half, middle, middle + half, "difference of means by caller", size)


def _shares(values: Sequence[Value], sign: float, parts: dict[str, float]) -> float:
    size = len(values)
    mean = math.fsum(value for _, value in values) / size
    for caller, value in values:
        parts[caller] = parts.get(caller, 0.0) + sign * (value - mean) / size
    return mean


def times(figure: Range, factor: float, less: float = 0.0) -> Range:
    """The figure in another unit, less what is known for certain."""
    low, middle, high = (value * factor - less for value in (figure.low, figure.middle, figure.high))
    return Range(low, middle, high, figure.method, figure.sample)
