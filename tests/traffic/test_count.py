"""The count: by hand in a small table, and equal to a naive recount of generated weeks."""

import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.traffic.measured import measured
from ivr.traffic.rows import Call
from ivr.traffic.tally import Branch, Traffic, count
from ivr.traffic.times import Clock
from tests.traffic.logs import estimated

NEW_YORK = ZoneInfo("America/New_York")

TABLE = """\
start,queue,from,duration,wait,abandoned
2026-09-07 10:00,Billing,+14155552671,100,10,no
2026-09-07 10:30,Billing,+14155552672,200,20,no
2026-09-08 10:00,billing,+1 (415) 555-2671,300,30,no
2026-09-14 10:00,Bookings,+14155552672,400,40,no
2026-09-15 11:00,Billing,anonymous,0,50,yes
2026-09-21 23:59,Bookings,+14155552671,500,60,no
2026-09-28 12:00,Billing,+14155552673,600,70,no
"""


def by_name(traffic: Traffic) -> dict[str, Branch]:
    return {branch.name: branch for branch in traffic.branches}


def test_a_small_table_by_hand(tmp_path: Path) -> None:
    traffic = estimated(tmp_path, TABLE).traffic
    billing, bookings = by_name(traffic)["Billing"], by_name(traffic)["Bookings"]
    assert (billing.calls, billing.known, billing.told, billing.abandoned) == (5, 4, 5, 1)
    assert (list(billing.lengths), list(billing.waits)) == ([100, 200, 300, 600], [10, 20, 30, 50, 70])
    # Until the 21st at noon seven days follow in the file. 2671 calls again after a day, 2672 after 6 days 23.5 hours,
    # 2671's second has its next 13 days later; the call of the 28th and the one of the 21st at night are not asked.
    assert (billing.followable, billing.followed) == (3, 2)
    assert (bookings.followable, bookings.followed) == (1, 0)
    assert (billing.hours[10], billing.hours[24 + 10], billing.hours[24 + 11], billing.hours[12]) == (2, 1, 1, 1)
    assert (traffic.days, traffic.weekdays) == (22, [4, 3, 3, 3, 3, 3, 3])
    assert traffic.total.calls == 7


def test_the_figures_of_the_small_table_by_hand(tmp_path: Path) -> None:
    one = estimated(tmp_path, TABLE)
    billing = next(judged.branch for judged in one.branches if judged.branch.name == "Billing")
    assert billing.weekly.middle == 5 / (22 / 7)
    assert (billing.weekly.method, billing.weekly.sample) == ("Poisson", 5)
    assert billing.length and billing.wait and billing.abandoned and billing.again and billing.mean_length
    assert (billing.length.middle, billing.mean_length.middle, billing.wait.middle) == (250, 300, 30)
    assert billing.spread == 510 / 250  # 90 % of the way from 300 to 600 is at place 2.7
    assert (billing.abandoned.middle, billing.again.middle) == (1 / 5, 2 / 3)
    assert (billing.busiest, billing.busiest_calls.middle) == (10, 2 / 4)  # Mondays at ten, of which there are four
    assert billing.office == 1


def test_seven_days_to_the_second() -> None:
    at = 1_790_000_000
    week = 7 * 86_400
    calls = [Call(at, "A", "x", 1, 1, None), Call(at + week, "A", "x", 1, 1, None), Call(at, "A", "y", 1, 1, None),
             Call(at + week + 1, "B", "y", 1, 1, None), Call(at + 3 * week, "B", None, 1, 1, None)]  # fmt: skip
    traffic = count(calls, Clock(NEW_YORK).slot)
    branches = by_name(traffic)
    assert (branches["A"].followable, branches["A"].followed) == (3, 1)
    assert (branches["B"].followable, branches["B"].followed) == (1, 0)


def test_whole_weeks_are_counted_from_the_last_day_back(tmp_path: Path) -> None:
    rows = [f"2026-09-{day:02d} 10:00,A" for day in range(1, 30) for _ in range(3 if day <= 8 else 1)]
    one = estimated(tmp_path, "start,queue\n" + "\n".join(rows))
    weekly = one.branches[0].branch.weekly  # the 1st is left out; the first week has 7 days of 3 calls
    assert (weekly.method, weekly.middle) == ("t over 4 weeks", statistics.mean([7, 7, 7, 21]))


CALLS = st.lists(
    st.builds(
        Call,
        st.integers(1_780_000_000, 1_783_000_000).map(lambda second: second // 1800 * 1800),
        st.sampled_from(["A", "a", "B", "C"]),
        st.sampled_from([None, "x", "y", "z"]),
        st.one_of(st.none(), st.integers(0, 900).map(float)),
        st.one_of(st.none(), st.integers(0, 900).map(float)),
        st.sampled_from([None, True, False]),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(CALLS)
def test_a_naive_recount_comes_to_the_same(calls: list[Call]) -> None:
    traffic = count(calls, Clock(NEW_YORK).slot)
    week, last = 7 * 86_400, max(call.time for call in calls)
    assert sum(branch.calls for branch in traffic.branches) == len(calls)
    for branch in traffic.branches:
        own = [(place, call) for place, call in enumerate(calls) if call.branch.upper() == branch.name.upper()]
        here = [call for _, call in own]
        asked = [(place, call) for place, call in own if call.caller and call.time <= last - week]
        again = [
            (place, call)
            for place, call in asked
            if any(
                other.caller == call.caller
                and 0 <= other.time - call.time <= week
                and (other.time > call.time or later > place)
                for later, other in enumerate(calls)
                if later != place
            )
        ]
        assert branch.calls == len(here)
        assert branch.known == sum(call.caller is not None for call in here)
        assert (branch.told, branch.abandoned) == (
            sum(call.abandoned is not None for call in here),
            sum(call.abandoned is True for call in here),
        )
        assert list(branch.lengths) == [c.length for c in here if c.length is not None and not c.abandoned]
        assert list(branch.waits) == [call.wait for call in here if call.wait is not None]
        assert branch.followable == len(asked)
        if len({(c.caller, c.time) for c in calls if c.caller}) == len([c for c in calls if c.caller]):
            assert branch.followed == len(again)
        local = [datetime.fromtimestamp(call.time, NEW_YORK) for call in here]
        hours = [sum(time.weekday() * 24 + time.hour == hour for time in local) for hour in range(168)]
        assert branch.hours == hours
        assert sum(branch.days.values()) == len(here)
    days = {datetime.fromtimestamp(call.time, NEW_YORK).date() for call in calls}
    every = [min(days) + timedelta(days=number) for number in range((max(days) - min(days)).days + 1)]
    assert traffic.weekdays == [sum(day.weekday() == weekday for day in every) for weekday in range(7)]
    assert traffic.days == len(every)
    for branch in traffic.branches:
        figures = measured(branch, traffic)
        assert figures.weekly.low <= figures.weekly.middle <= figures.weekly.high


def test_the_order_of_the_rows_is_nothing(tmp_path: Path) -> None:
    head, *rows = TABLE.splitlines()
    one, other = (estimated(tmp_path, "\n".join([head, *order])).traffic for order in (rows, rows[::-1]))
    for branch in one.branches:
        again = by_name(other).get(branch.name) or by_name(other)[branch.name.lower()]
        assert (branch.calls, branch.followable, branch.followed, branch.hours) == (
            again.calls,
            again.followable,
            again.followed,
            again.hours,
        )


def test_clocks_that_change_lose_no_hour(tmp_path: Path) -> None:
    rows = [datetime(2026, 11, 1, 4, tzinfo=UTC) + timedelta(minutes=30 * step) for step in range(8)]
    one = estimated(tmp_path, "start,queue\n" + "".join(f"{row.isoformat()},A\n" for row in rows), zone=NEW_YORK)
    sunday = one.traffic.total.hours[6 * 24 : 6 * 24 + 4]
    assert sunday == [2, 4, 2, 0]  # one o'clock comes twice
