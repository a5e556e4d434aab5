"""`share`, `goal` and `costs`: how they are read, what is refused, who draws which lot."""

from pathlib import Path

import pytest

from ivr.flow.aims import Costs, Goal, held_back, lot, sharing
from ivr.flow.load import load
from ivr.flow.model import Flow
from ivr.sandbox.town import ROOT

ACME = (ROOT / "flows" / "acme.yaml").read_text(encoding="utf-8")
BILLING = '  billing:\n    skill: "1234"\n'


def loaded(tmp_path: Path, of_brand: str = "", of_billing: str = "") -> tuple[list[str], Flow | None]:
    file = tmp_path / "acme.yaml"
    written = ACME.replace("language: en-US\n", f"language: en-US\n{of_brand}\n", 1)
    file.write_text(written.replace(BILLING, f"{BILLING}    {of_billing}\n"), encoding="utf-8")
    found = load([file])
    return [finding.message for finding in found.errors], found.flows.get("acme")


def test_unless_said_everybody_hears_every_offer(acme: Flow) -> None:
    assert {branch.share for branch in acme.branches.values()} == {1.0}
    assert sharing(acme.branches) == {}
    assert (acme.goal, acme.costs) == (None, None)


@pytest.mark.parametrize(
    ("of_brand", "of_billing", "shares"),
    [
        ("share: 90%", "", {"billing": 0.9, "bookings": 0.9}),
        ("share: 90%", "share: 100%", {"bookings": 0.9}),
        ("", "share: 99.5 %", {"billing": 0.995}),
    ],
)
def test_a_branch_s_own_share_goes_before_the_brand_s(
    tmp_path: Path, of_brand: str, of_billing: str, shares: dict[str, float]
) -> None:
    errors, flow = loaded(tmp_path, of_brand, of_billing)
    assert errors == []
    assert flow
    assert sharing(flow.branches) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("written", "goal"),
    [("25%", Goal(rate=0.25)), ("400 a week", Goal(a_week=400)), ("400  A Week", Goal(a_week=400))],
)
def test_a_goal_is_a_rate_or_a_count(tmp_path: Path, written: str, goal: Goal) -> None:
    errors, flow = loaded(tmp_path, f"goal: {written}", f"goal: {written}")
    assert errors == []
    assert flow
    assert (flow.goal, flow.branches["billing"].goal, flow.branches["bookings"].goal) == (goal, goal, None)


def test_costs_have_what_is_not_said_as_nothing(tmp_path: Path) -> None:
    _, flow = loaded(tmp_path, "costs: {currency: usd, call_minute: 0.85, text: 0.01}")
    assert flow
    assert flow.costs == Costs("USD", 0.85, None, 0.0, 0.01)


@pytest.mark.parametrize(
    ("of_brand", "said"),
    [
        ("share: 0%", "no share; write a percentage from 1% to 100%"),
        ("share: 101%", "no share"),
        ("share: 0.9", "no share"),
        ("share: ９０%", "no share"),
        ("share: [90%]", "expected a share, found a list"),
        ("goal: 0%", "no goal; write a rate like 25%, or a count like 400 a week"),
        ("goal: 0 a week", "no goal"),
        ("goal: 400 a month", "no goal"),
        ("goal: {a: b}", "expected a goal, found a mapping"),
        ("costs: {currency: USD}", "call_minute"),
        ("costs: {currency: $, call_minute: 0.85}", "no currency; write its three letters"),
        ("costs: {currency: USD, call_minute: $0.85}", "no amount; write one without its currency"),
        ("costs: {currency: USD, call_minute: -1}", "no amount"),
        ("costs: {currency: USD, call_minute: nan}", "no amount"),
    ],
)
def test_what_is_refused(tmp_path: Path, of_brand: str, said: str) -> None:
    (error,) = loaded(tmp_path, of_brand)[0]
    assert said in error


def test_a_lot_is_the_caller_s_for_good_and_the_key_s() -> None:
    drawn = lot("a-secret", "acme", "+14155552671")
    assert drawn == lot("a-secret", "acme", "+14155552671")
    assert len({drawn, lot("another", "acme", "+14155552671"), lot("a-secret", "other", "+14155552671")}) == 3


def test_lots_are_even() -> None:
    drawn = [lot("a-secret", "acme", f"+1415555{number:04d}") for number in range(10_000)]
    assert all(0 <= each < 1 for each in drawn)
    for share in (0.1, 0.5, 0.9):
        assert sum(each >= share for each in drawn) / 10_000 == pytest.approx(1 - share, abs=0.02)


def test_who_is_held_back_stays_so_when_the_share_falls() -> None:
    for drawn in (0.0, 0.5, 0.89999, 0.9, 0.95):
        before, after = held_back({"billing": 0.9}, drawn), held_back({"billing": 0.5}, drawn)
        assert set(before) <= set(after)
        assert ("billing" in before) is (drawn >= 0.9)
