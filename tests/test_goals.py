"""Goals: met for sure, missed for sure, or so far; by rate or by the week."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from ivr.flow.aims import Goal
from ivr.flow.model import Flow
from ivr.funnel.asked import Asked
from ivr.funnel.chart import rate_chart
from ivr.funnel.goals import judged, judged_all, of_flow
from ivr.funnel.told import Funnel, Line
from ivr.store import counts
from ivr.store.counts import Counting
from ivr.store.database import opened_once
from ivr.store.tables import calls, deflections
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
        (Goal(a_week=400), line(0, 0), 6, "missed so far"),
        (Goal(a_week=400), line(9000, 1000), 3, "met so far"),
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
            (told,), _ = of_flow(tx, flow, question, now)
            one, rate = of_flow(tx, flow, replace(question, only={"brand": "acme", "branch": "billing"}), now)
            assert of_flow(tx, flow, replace(question, only={"brand": "acme", "branch": "bookings"}), now) == ([], None)
            assert of_flow(tx, flow, replace(question, only={"brand": "acme", "dialled": "+14155550100"}), now) == (
                [],
                None,
            )
            assert of_flow(tx, None, question, now) == ([], None)
    assert (told.whose, one, rate) == ("billing", [told], 0.25)
    assert "%" in told.reached


def offers(url: str, branch: str, days: list[datetime], each: int) -> None:
    """So many accepted offers at noon of each day, every text sent."""
    with opened_once(url) as database, database.writes() as tx:
        for at in days:
            for place in range(each):
                call = {"call_sid": f"{branch}{at:%m%d}{place}", "brand": "acme", "caller": "+14155552000"}
                tx.execute(insert(calls).values(**call, entry="menu", dialled="+14155550100", started_at=at))
                offer = {**call, "branch": branch, "offered_at": at, "accepted_at": at}
                tx.execute(insert(deflections).values(offer))


def test_a_goal_a_week_is_of_whole_days_and_since_the_branch_began(database_url: str, acme: Flow) -> None:
    """Billing began ten days ago with ten a day, 70 a week; bookings yesterday. Today has but begun."""
    weekly = {name: replace(acme.branches[name], goal=Goal(a_week=70)) for name in ("billing", "bookings")}
    flow = replace(acme, branches={**acme.branches, **weekly}, goal=Goal(a_week=1000))
    noon = datetime(2026, 3, 20, 12, tzinfo=UTC)
    offers(database_url, "billing", [noon - timedelta(days=back) for back in range(10, 0, -1)], 10)
    offers(database_url, "bookings", [noon - timedelta(days=1)], 30)
    offers(database_url, "billing", [noon], 1)
    question = Asked(date(2026, 2, 21), date(2026, 3, 20), ZoneInfo("UTC"), {"brand": "acme"}, "day")
    with opened_once(database_url) as database:
        counts.roll_up(database, Counting({}, ["STOP"]), noon + timedelta(hours=1))
        with database.reads() as tx:
            told, _ = of_flow(tx, flow, question, noon + timedelta(hours=1))
            today, _ = of_flow(tx, flow, replace(question, first=question.last), noon + timedelta(hours=1))
            nobody, _ = of_flow(tx, flow, replace(question, only={"brand": "bakery"}), noon)
    assert [(each.whose, each.reached.split()[0], each.verdict) for each in told] == [
        ("billing", "70", "met so far"),
        ("bookings", "210", "met so far"),
        ("all branches", "91", "missed"),
    ]
    assert today[0].verdict == "missed so far", "an hour after noon nothing is sure of a day"
    assert {each.verdict for each in nobody} == {"no offers"}
