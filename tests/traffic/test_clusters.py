"""Occasions, joins and intervals: by hand, against a naive recount, and over simulated worlds with a known truth."""

import math
import random
import zlib
from datetime import UTC, datetime

import pytest

from ivr.traffic import clusters, world
from ivr.traffic.cells import DAY
from ivr.traffic.intervals import Range, wilson
from ivr.traffic.occasions import Event, Group, Occasion, Other, joined, occasions
from ivr.traffic.world import Habit, World

UNTIL = datetime(2026, 11, 25, tzinfo=UTC)
HOUR = 3600


def event(caller: str, at: int, group: Group, branch: str = "billing") -> Event:
    return Event(caller, at, branch if group else "", group, group != "texted")


# The calls of one number, and the occasions: when, group, seconds until the next call, calls that stayed calls.
HISTORIES: list[tuple[str, list[tuple[int, Group]], list[tuple[int, Group, int | None, int]]]] = [
    ("texted, and that was it", [(0, "texted")], [(0, "texted", None, 0)]),
    ("declined", [(0, "declined")], [(0, "declined", None, 1)]),
    ("texted, called again", [(0, "texted"), (DAY, "declined")], [(0, "texted", DAY, 1)]),
    ("declined, then texted", [(0, "declined"), (DAY, "texted")], [(0, "declined", DAY, 1)]),
    ("held back twice", [(0, "held"), (HOUR, "held")], [(0, "held", HOUR, 2)]),
    ("a second before the seven days are over", [(0, "declined"), (7 * DAY - 1, "texted")], [(0, "declined", 7 * DAY - 1, 1)]),
    ("when they are over", [(0, "declined"), (7 * DAY, "texted")], [(0, "declined", 7 * DAY, 1), (7 * DAY, "texted", None, 0)]),
    ("at the menu first, which offers nothing", [(0, ""), (HOUR, "texted")], [(HOUR, "texted", None, 0)]),
    ("at the menu afterwards", [(0, "texted"), (HOUR, "")], [(0, "texted", HOUR, 1)]),
    ("the text failed", [(0, "untexted")], [(0, "untexted", None, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("calls", "expected"), [case[1:] for case in HISTORIES], ids=[case[0] for case in HISTORIES])
def test_an_occasion(calls: list[tuple[int, Group]], expected: list[tuple[int, Group, int | None, int]]) -> None:
    told = [event("a", at, group) for at, group in calls]
    found = occasions([*reversed(told), event("b", 5, "declined")])
    assert [(each.at, each.group, each.again, each.calls) for each in found if each.caller == "a"] == expected


def naive(events: list[Event]) -> list[Occasion]:
    """The same, each call compared with each other."""
    found: list[Occasion] = []
    for one in sorted(events, key=lambda each: each.at):
        if not one.group or any(one.caller == old.caller and one.at - old.at < 7 * DAY for old in found):
            continue
        later = [other for other in events if other.caller == one.caller and other.at > one.at]
        again = min((other.at - one.at for other in later), default=None)
        calls = one.stays + sum(other.stays for other in later if other.at - one.at < 7 * DAY)
        found.append(Occasion(one.caller, one.at, one.branch, one.group, again, calls))
    return found


def test_equal_to_a_naive_recount_of_generated_months() -> None:
    here = a_world(callers=[world.number(place) for place in range(150)])
    told = world.events(list(world.calls(here, 1500, random.Random(3))))
    told = list({(each.caller, each.at): each for each in told}.values())
    assert sorted(occasions(told)) == sorted(naive(told))


def test_records_are_joined_by_number_and_time() -> None:
    ours = [event("a", 10_000, "declined"), event("a", 90_000, "texted"), event("b", 10_000, "held", "bookings")]
    records = [
        Other("a", 10_000 + 599, 300.0),  # in the queue behind the offer
        Other("a", 10_000 + 910, 60.0),  # a minute after that one was over
        Other("a", 50_000, 200.0),  # another number of the brand's
        Other("b", 10_000 - 120, 100.0),  # their clock is behind
        Other("b", 10_000 - 121, None),
        Other("c", 10_000, 100.0),  # nobody whom we know
    ]
    found = joined(ours, records)
    assert found.matched == 2
    assert [(each.caller, each.at) for each in found.others] == [("a", 10_910), ("a", 50_000), ("b", 9_879)]
    assert found.lengths == {"billing": [300.0], "bookings": [100.0]}


def test_one_call_of_ours_is_one_record() -> None:
    found = joined([event("a", 1000, "declined")], [Other("a", 1000, None), Other("a", 1001, None)])
    assert (found.matched, len(found.others)) == (1, 1)


def test_a_rate_of_callers_with_one_occasion_each_is_wilson_s() -> None:
    found = clusters.rate([(str(place), place < 30) for place in range(200)])
    plain = wilson(30, 200)
    assert found
    assert plain
    # The callers' spread is corrected by m/(m-1), which is 200/199 here.
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.0005)


def test_occasions_of_one_caller_count_as_one_where_they_are_alike() -> None:
    ten_each = clusters.rate([(str(place // 10), place // 10 < 3) for place in range(200)])
    of_twenty = wilson(3, 20)
    assert ten_each
    assert of_twenty
    assert (ten_each.low, ten_each.high) == pytest.approx((of_twenty.low, of_twenty.high), abs=0.02)


def test_a_difference_by_hand() -> None:
    """12 callers with 0 or 1, 12 with 1 or 2: means 0.5 and 1.5, each side's spread 12 x 0.25 / 144."""
    ours = [(f"a{place}", float(place % 2)) for place in range(12)]
    theirs = [(f"b{place}", 1.0 + place % 2) for place in range(12)]
    found = clusters.difference(ours, theirs)
    assert found
    half = 2.201 * math.sqrt(2 * 12 * 0.25 / 144 * 24 / 23)  # t of 11 degrees
    assert (found.low, found.middle, found.high) == pytest.approx((1 - half, 1.0, 1 + half), abs=0.001)


def test_of_fewer_than_ten_callers_nothing_is_said() -> None:
    many = [(str(place), 1.0) for place in range(50)]
    assert clusters.difference(many, [(f"b{place % 9}", 1.0) for place in range(40)]) is None
    assert clusters.rate([]) is None


HABITS = [
    Habit("billing", 1.0, 0.25, 0.10, 0.5, (10.0, 15.0), 0.2),
    Habit("bookings", 0.8, 0.15, 0.14, 0.3, (11.0, 16.0), -0.1),
]
POOL = [world.number(place) for place in range(20_000)]


def a_world(containment: float = 0.7, share: float = 0.7, callers: list[str] = POOL, seed: int = 0) -> World:
    def lot(caller: str) -> float:
        return zlib.crc32(f"{seed} {caller}".encode()) / 2**32

    return World(HABITS, UNTIL, 90, UTC, containment, share, lot, callers=callers)


def found_in(here: World, calls: int, seed: int, branch: str) -> tuple[Range | None, Range | None]:
    told = occasions(world.events(list(world.calls(here, calls, random.Random(seed)))))
    over = [each for each in told if each.branch == branch and each.at < UNTIL.timestamp() - 7 * DAY]
    offered = [(each.caller, float(each.calls)) for each in over if each.group != "held"]
    held = [(each.caller, float(each.calls)) for each in over if each.group == "held"]
    texted = [(each.caller, (each.again or DAY * 9) < 7 * DAY) for each in over if each.group == "texted"]
    return clusters.difference(offered, held), clusters.rate(texted)


WORLDS = 500


@pytest.mark.parametrize(("containment", "share"), [(0.8, 0.7), (0.3, 0.5)])
def test_intervals_cover_the_truth_at_their_stated_rate(containment: float, share: float) -> None:
    """Of 500 intervals of 95 %, 92.8 to 97.2 % hold the truth in 98 of 100 such tests; those of a biased figure do not."""
    nets, rates, off = [], [], []
    for seed in range(WORLDS):
        here = a_world(containment, share, seed=seed)
        net, again = found_in(here, 600, seed, "billing")
        truth = world.saved(here, HABITS[0])
        assert net
        assert again
        nets.append(net.low <= truth <= net.high)
        rates.append(again.low <= 1 - containment <= again.high)
        off.append(net.middle - truth)
    assert 0.928 <= sum(nets) / WORLDS <= 0.972, sum(nets) / WORLDS
    assert 0.92 <= sum(rates) / WORLDS <= 0.98, sum(rates) / WORLDS
    assert abs(sum(off) / WORLDS) < 0.01, "in the mean it is the truth"
