"""What a bench prints: a measured figure, the target it is held against, and whether it is met."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


class BenchFailed(Exception):
    """Something was not as the bench needs it, so that no figure would mean anything."""


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    measured: str
    target: str = ""  # none: printed for the reader alone
    met: bool = True

    def __str__(self) -> str:
        verdict = "" if not self.target else "met" if self.met else "missed"
        return f"{self.what:<62} {self.measured:>12}   {self.target:<18} {verdict}".rstrip()


def at_most(what: str, measured: float, limit: float, unit: str, digits: int = 2) -> Figure:
    shown, target = f"{measured:.{digits}f} {unit}", f"at most {limit:.{digits}f} {unit}"
    return Figure(what, shown, target, measured <= limit)


def at_least(what: str, measured: float, limit: float, unit: str, digits: int = 1) -> Figure:
    shown, target = f"{measured:.{digits}f} {unit}", f"at least {limit:.{digits}f} {unit}"
    return Figure(what, shown, target, measured >= limit)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
