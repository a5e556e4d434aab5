"""Erlang C: how many places are needed so that few wait longer than is promised."""

import math

_MOST = 100_000


def waiting(places: int, load: float) -> float:
    """The share of arrivals that wait for a place, `load` in erlangs.

    Erlang's second formula (A. K. Erlang, 1917), from his first by its recursion B(n) = A B(n-1) / (n + A B(n-1)) and
    C = B / (1 - (1 - B) A / n): no factorials, so no load is too large.
    """
    if load >= places:
        return 1.0
    blocked = 1.0
    for place in range(1, places + 1):
        blocked = load * blocked / (place + load * blocked)
    return blocked / (1 - (1 - blocked) * load / places)


def answered(places: int, load: float, within: float, length: float) -> float:
    """The share that gets a place `within` seconds, where a stay takes `length` seconds in the mean."""
    if load >= places:
        return 0.0
    return 1 - waiting(places, load) * math.exp(-(places - load) * within / length)


def places(load: float, service: float, within: float, length: float) -> int:
    """The fewest places with which at least `service` of all get one `within` seconds. One recursion serves all."""
    if load <= 0:
        return 0
    blocked = 1.0
    for place in range(1, _MOST):
        blocked = load * blocked / (place + load * blocked)
        if place > load:
            waits = blocked / (1 - (1 - blocked) * load / place)
            if 1 - waits * math.exp(-(place - load) * within / length) >= service:
                return place
    return _MOST
