"""Judging and expecting: each criterion at its limits, the figures by hand, the order, and the branches to paste."""

import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.flow.load import load
from ivr.traffic import erlang
from ivr.traffic.expect import Promise, expected
from ivr.traffic.field import figures
from ivr.traffic.intervals import Range
from ivr.traffic.judge import Judged, judged, ranked
from ivr.traffic.measured import Measured
from ivr.traffic.skeleton import skeleton

FIXED = figures({"mobile": "80%", "accept": "10%", "reply": "50%", "stretch": "2", "concurrency": "2"})


def sure(value: float, sample: int = 1000) -> Range:
    return Range(value, value, value, "", sample)


GOOD = Measured(
    name="Billing", calls=5000, weekly=sure(1000), length=sure(180), mean_length=sure(180), spread=2.0, wait=sure(150),
    abandoned=sure(0.1), again=sure(0.05), known=sure(1.0), busiest=10, busiest_calls=sure(100), hours=[1.0] * 168,
    office=0.8,
)  # fmt: skip


def judge(**changed: object) -> Judged:
    branch = dataclasses.replace(GOOD, **changed)  # type: ignore[arg-type]
    return judged(branch, expected(branch, FIXED, Promise()))


def points(one: Judged) -> dict[str, int | None]:
    return {criterion.name: criterion.points for criterion in one.criteria}


def test_what_is_expected_by_hand() -> None:
    one = expected(GOOD, FIXED, Promise(service=0.8, within=60))
    assert one.deflections.middle == pytest.approx(1000 * 0.8 * 0.1)
    assert one.conversations.middle == pytest.approx(1000 * 0.8 * 0.1 * 0.5)
    assert one.busiest.middle == pytest.approx(4)
    # Four conversations an hour of 360 s are 0.4 erlangs; 2 places keep 1 - 0.0667 e^-0.267 = 95 % under a minute.
    assert erlang.places(0.4, 0.8, 60, 360) == 2
    assert one.agents
    assert (one.agents.low, one.agents.middle, one.agents.high) == (1, 1, 1)


def test_agents_of_a_large_branch_by_hand() -> None:
    branch = dataclasses.replace(GOOD, busiest_calls=sure(5000))
    one = expected(branch, FIXED, Promise(service=0.8, within=20))
    assert one.agents
    places = erlang.places(5000 * 0.8 * 0.1 * 0.5 * 360 / 3600, 0.8, 20, 360)
    assert places == 25  # 20 erlangs: 25 keep 84 % under 20 seconds, 24 keep 76 %
    assert one.agents.middle == 13


def test_known_numbers_and_ranges_widen_what_is_expected() -> None:
    branch = dataclasses.replace(GOOD, known=Range(0.4, 0.5, 0.6, "Wilson", 80))
    one = expected(branch, figures({}), Promise())
    assert one.deflections.low < one.deflections.middle < one.deflections.high
    assert one.deflections.middle == pytest.approx(1000 * 0.5 * math.sqrt(0.68 * 0.90) * math.sqrt(0.08 * 0.25))
    assert one.agents
    assert one.agents.low <= one.agents.middle <= one.agents.high


def test_without_lengths_no_agents_are_told() -> None:
    assert expected(dataclasses.replace(GOOD, mean_length=None), FIXED, Promise()).agents is None


@pytest.mark.parametrize(
    ("name", "figure", "values"),
    [
        ("volume", "weekly", (500, 499, 100, 99)),
        ("waiting", "wait", (120, 119, 45, 44)),
        ("leaving", "abandoned", (0.08, 0.079, 0.04, 0.039)),
        ("simple", "length", (240, 241, 480, 481)),
        ("settled", "again", (0.10, 0.101, 0.20, 0.201)),
        ("repetitive", "spread", (2.5, 2.6, 4.0, 4.1)),
    ],
)
def test_each_criterion_at_its_limits(name: str, figure: str, values: tuple[float, ...]) -> None:
    told = [points(judge(**{figure: value if figure == "spread" else sure(value)}))[name] for value in values]
    assert told == [2, 1, 1, 0]


@pytest.mark.parametrize("figure", ["wait", "abandoned", "length", "again", "spread"])
def test_what_the_file_does_not_tell_does_not_count(figure: str) -> None:
    one = judge(**{figure: None})
    assert list(points(one).values()).count(None) == 1
    assert one.score == 2
    assert any(
        "not in the file" in criterion.words or "cannot be told" in criterion.words for criterion in one.criteria
    )


def test_an_interval_over_a_limit_is_said() -> None:
    criterion = judge(again=Range(0.08, 0.09, 0.12, "Wilson", 50)).criteria[4]
    assert not criterion.sure
    assert criterion.words == "few call again within 7 days: 9.0% (8.0-12%, Wilson, only 50)"
    assert judge(again=Range(0.08, 0.09, 0.095, "Wilson", 500)).criteria[4].sure


def test_verdicts() -> None:
    assert judge().verdict == "first"
    assert judge(calls=99).verdict == "too few"
    assert judge(weekly=sure(50)).verdict == "try"  # as good as it may be, there is little to win
    assert judge(length=sure(900), again=sure(0.3), spread=5.0).verdict == "try"
    assert judge(length=sure(900), again=sure(0.3), spread=5.0, wait=sure(5), abandoned=sure(0)).verdict == "not now"
    assert judge(length=None, again=None, spread=None, wait=None, abandoned=None).verdict == "try"  # volume alone


def test_the_order_is_by_verdict_and_then_by_deflections() -> None:
    few, small = judge(name="few", calls=9), judge(name="small", weekly=sure(600))
    poor = judge(
        name="poor", weekly=sure(9000), length=sure(900), again=sure(0.3), spread=9.0, wait=sure(1), abandoned=None
    )
    assert [one.branch.name for one in ranked([few, poor, small, judge(name="large")])] == [
        "large",
        "small",
        "poor",
        "few",
    ]


BRAND = """\
name: Acme Air
sender: {sms: "+1 415 555 0111"}
"""


def checked(path: Path, text: str) -> tuple[list[str], set[str]]:
    file = path / "acme.yaml"
    file.write_text(BRAND + text, encoding="utf-8")
    loaded = load([file])
    return [str(finding) for finding in loaded.findings], set(loaded.flows["acme"].branches) if loaded.flows else set()


def test_the_skeleton_is_taken_by_check_without_a_word(tmp_path: Path) -> None:
    findings, names = checked(tmp_path, skeleton([judge(), judge(name="Lost & found: 24/7")], Promise()))
    assert findings == []
    assert names == {"billing", "lost-found-24-7"}


def test_goals_are_what_reports_look_at(tmp_path: Path) -> None:
    lines = skeleton([judge()], Promise()).splitlines()
    assert "    goal: 80 a week  # deflections; look again below 80" in lines
    assert "    # and no more call again within 7 days than today's 5.0%" in lines
    assert max(map(len, lines)) <= 80
    assert skeleton([], Promise()) == ""


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Réservations", "reservations"),
        ("menu", "menu-calls"),
        ("Fallback", "fallback-calls"),
        ("24 hours", "branch-24-hours"),
        ("漢字", "branch"),
        ("+1 415 555 0100", "line-4155550100"),
        ("x" * 60, "x" * 28),
        ("a\"b: #c\n- d", "a-b-c-d"),
    ],
)  # fmt: skip
def test_names_of_branches(tmp_path: Path, name: str, written: str) -> None:
    findings, names = checked(tmp_path, skeleton([judge(name=name), judge(name=name)], Promise()))
    assert findings == []
    assert names == {written, f"{written}-2"}


@settings(deadline=None, max_examples=50)
@given(names=st.lists(st.text(max_size=60), min_size=1, max_size=5), within=st.floats(10, 86_400))
def test_whatever_branches_are_called_they_can_be_pasted(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], within: float
) -> None:
    chosen = [judge(name=name) for name in names]
    findings, written = checked(tmp_path_factory.mktemp("names"), skeleton(chosen, Promise(within=within)))
    assert [finding for finding in findings if ": error: " in finding] == []
    assert len(written) == len(names)
