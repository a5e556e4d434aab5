"""Which branches suit an offer: each criterion of LivePerson's judged in words, and the branches in order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ivr.traffic.expect import Expected
from ivr.traffic.intervals import Range
from ivr.traffic.measured import FEW, Measured
from ivr.traffic.wording import length, per_week, rate

# What counts as much and as some: planning figures of ours, named in docs/estimate.md. Points are 2, 1 and 0.
VOLUME = (500, 100)  # calls a week
WAIT = (120, 45)  # seconds
LEFT = (0.08, 0.04)
SHORT = (240, 480)  # seconds
AGAIN = (0.10, 0.20)
ALIKE = (2.5, 4.0)  # the length that 90 % stay under, in middles


@dataclass(frozen=True, slots=True)
class Criterion:
    name: str
    points: int | None  # 2 speaks for an offer, 0 against it; None: the file does not tell
    words: str
    sure: bool = True  # False where the interval reaches over a limit


@dataclass(frozen=True, slots=True)
class Judged:
    branch: Measured
    expected: Expected
    criteria: tuple[Criterion, ...]
    score: float  # 0 to 2
    verdict: str  # first, try, not now, too few


VERDICTS = ("first", "try", "not now", "too few")


def judged(branch: Measured, expected: Expected) -> Judged:
    """The mean of what is known. Too few calls are not judged, and a small branch is never the first."""
    criteria = (_volume(branch), *_interaction(branch), *_simple(branch))
    points = [criterion.points for criterion in criteria if criterion.points is not None]
    score = sum(points) / len(points)
    return Judged(branch, expected, criteria, score, _verdict(branch, criteria, score))


def _verdict(branch: Measured, criteria: tuple[Criterion, ...], score: float) -> str:
    if branch.calls < FEW:
        return "too few"
    told = sum(criterion.points is not None for criterion in criteria)
    if score >= 1.4 and criteria[0].points and told >= 3:
        return "first"
    return "try" if score >= 0.9 else "not now"


def ranked(branches: Iterable[Judged]) -> list[Judged]:
    """By verdict, then by the deflections that are expected."""
    return sorted(
        branches,
        key=lambda one: (VERDICTS.index(one.verdict), -one.expected.deflections.middle, one.branch.name),
    )


def _volume(branch: Measured) -> Criterion:
    points = _points(branch.weekly.middle, VOLUME, more_is_better=True)
    words = ("little to win", "some volume", "much volume")[points]
    return Criterion("volume", points, f"{words}: {per_week(branch.weekly)}", _sure(branch.weekly, VOLUME))


def _interaction(branch: Measured) -> tuple[Criterion, ...]:
    return (
        _one("waiting", branch.wait, WAIT, True, length, ("short waits", "some wait", "long waits"),
             "the wait is not in the file"),
        _one("leaving", branch.abandoned, LEFT, True, rate, ("few hang up", "some hang up", "many hang up waiting"),
             "who hung up waiting is not in the file"),
    )  # fmt: skip


def _simple(branch: Measured) -> tuple[Criterion, ...]:
    return (
        _one("simple", branch.length, SHORT, False, length, ("long calls", "medium calls", "short calls"),
             "the length is not in the file"),
        _one("settled", branch.again, AGAIN, False, rate,
             ("many call again within 7 days", "some call again within 7 days", "few call again within 7 days"),
             "who called again cannot be told (no numbers, or less than 8 days)"),
        _alike(branch),
    )  # fmt: skip


def _one(
    name: str,
    figure: Range | None,
    limits: tuple[float, float],
    more_is_better: bool,
    said: Callable[[Range], str],
    words: tuple[str, str, str],
    unknown: str,
) -> Criterion:
    if figure is None:
        return Criterion(name, None, unknown)
    points = _points(figure.middle, limits, more_is_better)
    return Criterion(name, points, f"{words[points]}: {said(figure)}", _sure(figure, limits))


def _alike(branch: Measured) -> Criterion:
    if branch.spread is None:
        return Criterion("repetitive", None, "whether calls are alike is not in the file")
    points = _points(branch.spread, ALIKE, more_is_better=False)
    words = ("calls differ much", "calls differ somewhat", "calls are alike")[points]
    return Criterion("repetitive", points, f"{words}: 9 of 10 end within {branch.spread:.1f} x the middle")


def _points(value: float, limits: tuple[float, float], more_is_better: bool) -> int:
    much, some = limits
    if more_is_better:
        return 2 if value >= much else 1 if value >= some else 0
    return 2 if value <= much else 1 if value <= some else 0


def _sure(figure: Range, limits: tuple[float, float]) -> bool:
    return not any(figure.low < limit < figure.high for limit in limits)
