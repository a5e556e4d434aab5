"""What an offer may bring: deflections a week, the conversations at the busiest hour, and the agents they need."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ivr.traffic import erlang
from ivr.traffic.field import Figure
from ivr.traffic.intervals import Range, product
from ivr.traffic.measured import Measured

METHOD = "product, errors added as squares on a log scale"


@dataclass(frozen=True, slots=True)
class Promise:
    """How many consumers get an agent how soon."""

    service: float = 0.9
    within: float = 600.0


@dataclass(frozen=True, slots=True)
class Expected:
    deflections: Range  # greetings accepted, a week
    conversations: Range  # of these, answered by the consumer
    busiest: Range  # conversations that begin in the busiest hour
    agents: Range | None  # at once, in that hour; None where no length is known


def expected(branch: Measured, figures: Mapping[str, Figure], promise: Promise) -> Expected:
    """Known numbers × mobiles × yeses; × who then writes; and Erlang C over the places of the busiest hour."""
    known = [branch.known] if branch.known else []
    yes = [*known, figures["mobile"].range, figures["accept"].range]
    written = [*yes, figures["reply"].range]
    busiest = product([branch.busiest_calls, *written])
    return Expected(
        deflections=product([branch.weekly, *yes]),
        conversations=product([branch.weekly, *written]),
        busiest=busiest,
        agents=_agents(branch, [branch.busiest_calls, *written], figures, promise),
    )


def _agents(branch: Measured, arrivals: list[Range], figures: Mapping[str, Figure], promise: Promise) -> Range | None:
    """Each agent is as many places as they have conversations at once; a conversation holds one for its length."""
    if branch.mean_length is None or not branch.mean_length.middle:
        return None
    concurrency, stretch = figures["concurrency"].range, figures["stretch"].range
    length = branch.mean_length.middle * stretch.middle
    load = product([*arrivals, branch.mean_length, stretch], [concurrency])

    def needed(agents_load: float) -> float:
        places = erlang.places(agents_load / 3600 * concurrency.middle, promise.service, promise.within, length)
        return float(math.ceil(places / concurrency.middle))

    return Range(needed(load.low), needed(load.middle), needed(load.high), "Erlang C")
