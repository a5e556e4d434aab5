"""Goals: met for sure, missed for sure, or so far; by rate or by the week."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.flow.aims import Goal
from ivr.flow.model import Flow
from ivr.funnel.asked import Asked
from ivr.funnel.chart import rate_chart
from ivr.funnel.goals import judged, judged_all, of_flow
from ivr.funnel.told import Funnel, Line
from ivr.store import counts
from ivr.store.counts import Counting
from ivr.store.database import opened_once
from tests import traffic_rows


def line(offered: int, accepted: int, failed: int = 0, label: str = "billing") -> Line:
    return Line(label, Counter(offered=offered, accepted=accepted, failed=failed))


QUARTER = Goal(rate=0.25)


@pytest.mark.parametrize(
    ("goal", "counted", "days", "verdict"),
    [
        (QUARTER, line(1000, 400), 7, "met"),
        (QUARTER, line(1000, 100), 7, "missed"),
        (QUARTER, line(20, 6), 7, "met so far"),
        (QUARTER, line(20, 4), 7, "missed so far"),
        (QUARTER, line(1000, 400, failed=300), 7, "missed"),
        (QUARTER, line(0, 0), 7, "no offers"),
        (Goal(a_week=400), line(9000, 1000), 14, "met"),
        (Goal(a_week=400), line(9000, 500), 14, "missed"),
        (Goal(a_week=400), line(9000, 810), 14, "met so far"),
        (Goal(a_week=400), line(0, 0), 7, "missed"),
    ],
    ids=str,
)
def test_a_goal_is_met_or_not_with_certainty(goal: Goal, counted: Line, days: int, verdict: str) -> None:
    assert judged("billing", goal, counted, days).verdict == verdict


def test_goals_of_branches_and_of_all_together() -> None:
    asked = Asked(date(2026, 3, 2), date(2026, 3, 8), ZoneInfo("UTC"), {}, "branch")
    one = Funnel(asked, [line(1000, 400), line(10, 0, label="claims")], line(1010, 400, label="all"), None)
    told = judged_all({"billing": QUARTER, "bookings": QUARTER}, one, Goal(a_week=300))
    assert [(each.whose, each.goal, each.verdict) for each in told] == [
        ("billing", "25% of offers", "met"),
        ("bookings", "25% of offers", "no offers"),
        ("all branches", "300 a week", "met"),
    ]
    assert told[0].reached == "40.0% (37.0% to 43.1%)"


def test_what_is_left_of_the_days_counts_for_no_goal() -> None:
    asked = Asked(date(2026, 3, 2), date(2026, 3, 8), ZoneInfo("UTC"), {}, "branch")
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    one = Funnel(asked, [line(80, 40)], line(80, 40), noon)
    (told,) = judged_all({"billing": Goal(a_week=300)}, one, None)
    assert told.reached.startswith("560 "), "forty in half a day"
    before = Funnel(asked, [line(0, 0)], line(0, 0), noon - timedelta(days=3))
    (told,) = judged_all({"billing": Goal(a_week=300)}, before, None)
    assert told.verdict == "no offers"


def test_the_goal_is_a_line_of_the_chart() -> None:
    asked = Asked(date(2026, 3, 2), date(2026, 3, 3), ZoneInfo("UTC"), {}, "day")
    days = [line(10, 4, label="2026-03-02"), line(0, 0, label="2026-03-03 <b>")]
    drawn = rate_chart(Funnel(asked, days, line(10, 4), None), 0.25)
    assert "goal 25%" in drawn
    assert "style" not in drawn
    assert "<b>" not in drawn
    assert "goal" not in rate_chart(Funnel(asked, days, line(10, 4), None), None)


def test_a_brand_s_goals_are_told_in_its_funnel_alone(database_url: str, acme: Flow) -> None:
    billing = replace(acme.branches["billing"], goal=QUARTER)
    flow = replace(acme, branches={**acme.branches, "billing": billing})
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with opened_once(database_url) as database:
        with database.writes() as tx:
            traffic_rows.write_calls(tx, random.Random(3), now - timedelta(hours=3), 60)
        counts.roll_up(database, Counting({}, ["STOP"]), now)
        question = Asked(date(2026, 3, 2), date(2026, 3, 2), ZoneInfo("UTC"), {"brand": "acme"}, "day")
        with database.reads() as tx:
            (told,), _ = of_flow(tx, flow, question)
            one, rate = of_flow(tx, flow, replace(question, only={"brand": "acme", "branch": "billing"}))
            assert of_flow(tx, flow, replace(question, only={"brand": "acme", "branch": "bookings"})) == ([], None)
            assert of_flow(tx, flow, replace(question, only={"brand": "acme", "dialled": "+14155550100"})) == ([], None)
            assert of_flow(tx, None, question) == ([], None)
    assert (told.whose, one, rate) == ("billing", [told], 0.25)
    assert "%" in told.reached
