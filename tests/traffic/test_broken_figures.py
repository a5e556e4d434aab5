"""What a hostile reader of the containment report tries: counted twice, mixed groups, edges of time and of the records."""

import random
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.flow import aims
from ivr.traffic import clusters, contained_html, contained_page, records
from ivr.traffic.cells import DAY
from ivr.traffic.contained import ALL, Containment, Material, Period, Talk, containment
from ivr.traffic.occasions import Event, Group, Other, joined
from ivr.traffic.records import Asked
from tests.traffic.test_contained import BEGINS, ENDS, PERIOD, Costs, calls, written

ANN = "+14155550001"


def report(events: list[Event], period: Period = PERIOD, **material: object) -> Containment:
    return containment("acme", Material(events, [], [], **material), period, None)  # type: ignore[arg-type]


# Our calls in the brand's records.


def leg(seconds: int, length: float | None, caller: str = ANN) -> Other:
    return Other(caller, BEGINS + seconds, length)


OURS = [Event(ANN, BEGINS, "billing", "declined", True)]
LEGS = [
    ("the same call, by its queue's clock", [leg(90, 300)], 0),
    ("and its transfer, begun before the first leg was over", [leg(90, 300), leg(380, 600)], 0),
    ("a chain of transfers", [leg(90, 300), leg(380, 600), leg(970, 100)], 0),
    ("the carrier's row and the queue's", [leg(0, 700), leg(60, 600)], 0),
    ("the brand's own menu, minutes before the call came to us", [leg(-400, 700)], 0),
    ("an old leg, and the one that came to us", [leg(-600, 580), leg(-18, 300)], 0),
    ("over before our call came", [leg(-400, 200), leg(10, 300)], 1),
    ("hung up, and called another line", [leg(90, 300), leg(400, 60)], 1),
    ("lengths that nobody tells", [leg(90, None), leg(400, None)], 1),
    ("a transfer within a call that never touched us", [leg(2 * DAY, 300), leg(2 * DAY + 200, 60)], 1),
    ("another caller's at the same time", [leg(90, 300), leg(200, 60, "+14155550002")], 0),
]


@pytest.mark.parametrize(("told", "others"), [case[1:] for case in LEGS], ids=[case[0] for case in LEGS])
def test_a_call_that_is_in_the_records_in_pieces_counts_once(told: list[Other], others: int) -> None:
    found = joined(OURS, told)
    assert len(found.others) == others
    assert found.matched == (0 if told[0].at >= BEGINS + DAY else 1)


MOMENT = st.integers(0, 4000)
CALLER = st.sampled_from([ANN, "+14155550002"])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(CALLER, MOMENT), max_size=6, unique=True),
    st.lists(st.builds(Other, CALLER, MOMENT, st.sampled_from([None, 5.0, 300.0, 2000.0])), max_size=8),
    st.randoms(use_true_random=False),
)
def test_whatever_the_records_are_no_call_is_two(
    own: list[tuple[str, int]], told: list[Other], chance: random.Random
) -> None:
    events = [Event(caller, at, "billing", "declined", True) for caller, at in own]
    found = joined(events, told)
    known = [each for each in told if any(each.caller == caller for caller, _ in own)]
    assert found.matched <= min(len(events), len(known))
    assert found.matched + len(found.others) <= len(known)
    assert {(each.caller, each.at) for each in found.others} <= {(each.caller, each.at) for each in known}
    for one in found.others:  # nobody is on two lines at once
        assert not any(each.caller == one.caller and each.at < one.at < each.at + (each.length or 0) for each in known)
    assert joined(chance.sample(events, len(events)), chance.sample(told, len(told))).matched == found.matched


def test_records_of_every_one_of_our_calls_change_no_figure() -> None:
    """Both have the same calls, the records minutes later: nobody called twice for that."""
    events = [*calls("texted", 60, 20), *calls("declined", 60, 20, 1000), *calls("held", 60, 20, 2000)]
    chance = random.Random(1)
    told = [Other(event.caller, event.at + chance.randrange(-100, 590), 100.0) for event in events]
    alone, both = report(events), report(events, joined=joined(events, told))
    for cell in alone.cells:
        same = both.cell(cell.branch, cell.month)
        assert same
        assert (same.counts, same.again, same.control, same.declined) == (
            cell.counts,
            cell.again,
            cell.control,
            cell.declined,
        )


def test_a_date_in_the_future_does_not_make_records_longer(tmp_path: Path) -> None:
    rows = "".join(f"2026-08-{day:02d} 10:00,+14155550001\n" for day in range(1, 31))
    file = written(tmp_path, f"Start Time,From\n{rows}2031-01-01 00:00,+14155559999\n")
    told = records.read(file, Asked(UTC, {}, "US", now=ENDS), {ANN})
    assert told.ends == int(datetime(2026, 8, 30, 10, tzinfo=UTC).timestamp())
    assert told.said == ["1 of 31 rows are of days to come and are left out."]


# Windows at the edges.

AT = BEGINS + 10 * DAY
WITHIN = [
    ("24 hours", DAY - 1, True), ("24 hours", DAY, False), ("7 days", 7 * DAY - 1, True), ("7 days", 7 * DAY, False),
    ("90 days", 90 * DAY - 1, True), ("90 days", 90 * DAY, False),
]  # fmt: skip


@pytest.mark.parametrize(("window", "after", "counts"), WITHIN)
def test_windows_to_the_second(window: str, after: int, counts: bool) -> None:
    events = [Event(ANN, AT, "billing", "texted", False), Event(ANN, AT + after, "", "", True)]
    cell = report(events).cell("billing", "2026-08")
    assert cell
    figure = cell.again["texted", window]
    assert figure
    assert figure.middle == float(counts)


@pytest.mark.parametrize(("window", "days"), [("24 hours", 1), ("7 days", 7), ("90 days", 90)])
def test_a_window_that_ends_with_what_is_known_counts_and_one_second_later_not(window: str, days: int) -> None:
    for late, known in ((0, True), (1, False)):
        cell = report([Event(ANN, ENDS - days * DAY + late, "billing", "texted", False)]).cell("billing", ALL)
        assert cell
        assert bool(cell.again["texted", window]) is known


def test_who_called_in_the_week_before_the_report_begins_no_occasion_in_it() -> None:
    events = [
        Event(ANN, BEGINS - 3 * DAY, "billing", "declined", True),
        Event(ANN, BEGINS + DAY, "billing", "texted", False),
    ]
    assert report(events).cell("billing", ALL) is None


# Months and days are the brand's.

TOKYO = ZoneInfo("Asia/Tokyo")


def test_months_and_days_are_of_the_brand_s_zone() -> None:
    begins = int(datetime(2026, 8, 1, tzinfo=TOKYO).timestamp())
    last_of_august = int(datetime(2026, 8, 31, 23, 59, tzinfo=TOKYO).timestamp())
    ends = int(datetime(2026, 11, 25, tzinfo=TOKYO).timestamp())
    events = [
        Event(ANN, last_of_august, "billing", "texted", False),
        Event("+14155550002", last_of_august + 60, "billing", "texted", False),
    ]
    found = report(events, Period(begins, ends, TOKYO))
    assert found.months == ["2026-08", "2026-09"]
    first = next(contained_page.page(found))
    assert "2026-08-01 to 2026-11-25" in first, "not July 31, as it is called in Greenwich"
    assert "2026-08-01 to 2026-11-25" in contained_html.page(found)


# All branches together.


def group(branch: str, which: Group, many: int, calls_each: int, first: int) -> list[Event]:
    """Callers with so many calls that stay, the later ones an hour apart."""
    told = []
    for place in range(first, first + many):
        caller = f"+1415555{place:04d}"
        for number in range(calls_each):
            told.append(Event(caller, BEGINS + DAY + place + 3600 * number, branch, which, True))
    return told


# An offer that does nothing in either branch. Billing's callers call once and four in five hear the offer; claims' call
# five times, and half of them hear it: so most who heard none are of claims, and together they would look worse.
NO_EFFECT = [
    *group("billing", "declined", 160, 1, 0), *group("billing", "held", 40, 1, 1000),
    *group("claims", "declined", 50, 5, 2000), *group("claims", "held", 50, 5, 3000),
]  # fmt: skip


def test_branches_with_other_shares_are_not_mixed() -> None:
    found = report(NO_EFFECT)
    for branch in ("billing", "claims", ALL):
        cell = found.cell(branch, ALL)
        assert cell
        assert cell.control
        assert cell.control.middle == pytest.approx(0), branch


def test_all_branches_are_the_sum_of_their_branches() -> None:
    events = [*calls("texted", 100, 20), *calls("held", 50, 15, 2000)]
    events += [one._replace(caller=f"{one.caller}9", branch="claims") for one in events[:160] + events[-40:]]
    found = report(events)
    parts = [cell.control.middle for cell in found.cells if cell.month == ALL and cell.branch and cell.control]
    whole = found.cell(ALL, ALL)
    assert whole
    assert whole.control
    assert len(parts) == 2
    assert whole.control.middle == pytest.approx(sum(parts))


def test_a_branch_without_a_control_group_is_named_where_all_are_told() -> None:
    events = [*NO_EFFECT, *group("orders", "texted", 80, 1, 5000), *group("orders", "declined", 80, 1, 6000)]
    whole = report(events).cell(ALL, ALL)
    assert whole
    assert whole.control
    assert whole.control.middle == pytest.approx(0)
    assert "savings without orders: too few callers there to compare with" in whole.notes


def test_one_stratum_is_the_difference() -> None:
    chance = random.Random(4)
    ours = [(f"a{chance.randrange(60)}", float(chance.randrange(3))) for _ in range(100)]
    theirs = [(f"b{chance.randrange(30)}", float(chance.randrange(3))) for _ in range(40)]
    each = clusters.difference(ours, theirs)
    assert each
    one = clusters.total([(ours, theirs)])
    assert one
    many = clusters.times(each, len(ours))
    assert (one.low, one.middle, one.high) == pytest.approx((many.low, many.middle, many.high))


def test_the_interval_of_all_branches_holds_the_truth_at_its_rate() -> None:
    """Two branches with other shares and habits, callers who use both; nothing is saved in truth."""
    chance, held, worlds = random.Random(20261126), 0, 400
    for _ in range(worlds):
        strata = []
        for share, habit in ((0.9, 0.3), (0.6, 2.0)):
            sides: tuple[list[clusters.Value], list[clusters.Value]] = ([], [])
            for caller in range(150):
                told = (f"c{caller}", float(chance.random() < habit / 3) + float(chance.random() < habit / 3))
                sides[chance.random() >= share].append(told)
            strata.append(sides)
        found = clusters.total(strata)
        held += found is None or found.low <= 0 <= found.high
    assert 0.92 <= held / worlds <= 0.98


# What is said of little.


def test_a_branch_that_began_lately_says_so_where_it_stands() -> None:
    events = [*calls("texted", 100, 20), *calls("texted", 100, 20, 3000, ENDS - 40 * DAY, "claims")]
    found = report(events)
    told = {branch: found.cell(branch, ALL) for branch in ("billing", "claims")}
    assert told["claims"]
    assert "fewer than three months: 39 days are known of it" in told["claims"].notes
    assert told["billing"]
    assert not any("three months" in note for note in told["billing"].notes)


def test_a_sample_is_as_small_as_its_callers_are_few() -> None:
    """Twelve callers who were texted ten times each are twelve, however many calls that makes."""
    events = [
        Event(f"+1415555{who:04d}", BEGINS + time * 8 * DAY + who, "billing", "texted", False)
        for who in range(12)
        for time in range(10)
    ]
    events += [one._replace(caller=f"{one.caller}9", group="held", stays=True) for one in events]
    found = report(events)
    cell = found.cell("billing", ALL)
    assert cell
    assert cell.counts["texted"] == 120
    assert "small sample: 12 texted callers" in cell.notes
    assert "small control group: 12 callers" in cell.notes
    assert "120 calls became texts in place of waiting" in contained_html.page(found)


def test_a_control_group_that_was_not_there_all_the_time_says_so_where_it_stands() -> None:
    """Who heard no offer is compared with who did at another time, too: seasons differ."""
    always = [*calls("texted", 40, 8), *calls("held", 40, 8, 2000)]
    more = calls("texted", 40, 8, 4000, BEGINS + 60 * DAY)
    for events, said in (
        ([*always, *more, *calls("held", 40, 8, 6000, BEGINS + 60 * DAY)], ""),
        ([*always, *more], "control group only until 2026-08-02"),
        (
            [*calls("texted", 40, 8), *more, *calls("held", 40, 8, 6000, BEGINS + 60 * DAY)],
            "control group only since 2026-09-30",
        ),
    ):
        cell = report(events).cell("billing", ALL)
        assert cell
        assert [note for note in cell.notes if "control group only" in note] == ([said] if said else [])


def test_conversations_and_texts_of_no_branch_count_once_in_all() -> None:
    events = calls("texted", 30, 0)
    talks = [Talk(ANN, BEGINS + DAY, ""), Talk(ANN, BEGINS + 2 * DAY, "billing")]
    found = containment(
        "acme", Material(events, talks, [(BEGINS + DAY, ""), (BEGINS + DAY, "billing")]), PERIOD, Costs()
    )
    for key in ((ALL, ALL), (ALL, "2026-08")):
        cell = found.cell(*key)
        assert cell
        assert (cell.conversations, cell.texts) == (2, 2)


def test_a_caller_draws_the_same_lot_in_every_form_of_the_number_and_at_every_call() -> None:
    drawn = {aims.lot("a-secret", "acme", ANN) for _ in range(50)}
    assert len(drawn) == 1
    assert aims.lot("a-secret", "bakery", ANN) not in drawn
    held = [set(aims.held_back({"billing": 0.8, "claims": 0.9}, place / 100)) for place in range(100)]
    assert all("billing" in each for each in held if "claims" in each), "who is held from 90 % is held from 80 %, too"
    assert (sum("billing" in each for each in held), sum("claims" in each for each in held)) == (20, 10)
