"""The promise and its texts: by when, when nobody may be texted, and what `check` finds of them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ivr import numbers
from ivr.flow import promise, quiet
from ivr.flow.load import load
from ivr.flow.model import Flow
from ivr.sandbox.town import ROOT

GOOD = """\
name: Acme
timezone: America/New_York
sender: {sms: "+1 415 555 0111"}
numbers: {"+1 415 555 0100": billing, "+1 415 555 0101": claims}
desk: {liveperson: {}}
hours: Mon-Fri 08:00-20:00; Sat 09:00-13:00
fallback: {say: Goodbye.}
warn_before: 2 minutes
expect:
  received: We answer by {{ promised_at }}, within {{ sla }}.
  late: "{{ brand }}: it takes longer."
  closed: We are here {{ agent_hours }} and answer {{ opens }}.
  ended: Thank you.
follow_up: {after: 2 hours, text: Still there? Reply STOP to opt out.}
branches:
  billing:
    offer: Press 1, and we text you.
    greeting: "{{ brand }} here. Reply STOP to opt out."
    otherwise: {queue: billing}
    sla: 10 minutes
  claims:
    offer: Press 1, and we will text you.
    greeting: "{{ brand }} here. Reply STOP to opt out."
    otherwise: {queue: claims}
    sla: 1 hour
    expect: {late: Claims take longer.}
"""


def read(directory: Path, *changes: tuple[str, str]) -> list[str]:
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = directory / "acme.yaml"
    file.write_text(text, encoding="utf-8")
    return [str(finding).split("acme.yaml:")[-1] for finding in load([file]).findings]


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    assert read(tmp_path) == []
    return load([tmp_path / "acme.yaml"]).flows["acme"]


def test_a_branch_s_texts_go_before_the_brand_s_one_by_one(flow: Flow) -> None:
    claims = flow.branches["claims"].expect
    assert claims.late and claims.ended and claims.received
    assert (claims.late.text, claims.ended.text) == ("Claims take longer.", "Thank you.")
    assert claims.received.spoken({"promised_at": "noon"}) == "We answer by noon, within 1 hour."


def test_where_no_branch_explains_nothing_is_promised(flow: Flow) -> None:
    assert (flow.expect.received, flow.expect.ended is not None) == (None, True)


# when it is written, in New York; by when the answer is promised; how that is said at once
PROMISES = [
    ("in hours", "2026-03-02 09:22:30", "2026-03-02 09:32:30", "9:32 AM"),
    ("a minute before closing", "2026-03-02 19:59", "2026-03-02 20:09", "8:09 PM"),
    ("at closing", "2026-03-02 20:00", "2026-03-03 08:10", "tomorrow at 8:10 AM"),
    ("on Saturday afternoon", "2026-02-28 13:00", "2026-03-02 08:10", "Monday at 8:10 AM"),
    ("the night before clocks go forward", "2026-03-07 22:00", "2026-03-09 08:10", "Monday at 8:10 AM"),
    ("the night before clocks go back", "2026-10-31 22:00", "2026-11-02 08:10", "Monday at 8:10 AM"),
    ("on New Year's Eve", "2026-12-31 23:59", "2027-01-01 08:10", "tomorrow at 8:10 AM"),
]


@pytest.mark.parametrize(
    ("wrote", "promised", "said"), [case[1:] for case in PROMISES], ids=[case[0] for case in PROMISES]
)
def test_by_when(flow: Flow, wrote: str, promised: str, said: str) -> None:
    at = new_york(wrote)
    due = promise.due(flow.branches["billing"], at)
    assert due == new_york(promised)
    assert promise.by(due, at, flow.timezone) == said


def new_york(text: str) -> datetime:
    zone = ZoneInfo("America/New_York")
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


# where the number may be; a moment in UTC; when a text is allowed
NIGHTS = [
    ("a day in New York", ["America/New_York"], "2026-03-02 14:00", "2026-03-02 14:00"),
    ("a second before nine", ["America/New_York"], "2026-03-03 01:59:59", "2026-03-03 01:59:59"),
    ("nine in the evening", ["America/New_York"], "2026-03-03 02:00", "2026-03-03 13:00"),
    ("Boise and Los Angeles, nine in Boise", ["America/Boise", "America/Los_Angeles"], "2026-03-03 04:00", "2026-03-03 16:00"),
    ("clocks go forward", ["America/New_York"], "2026-03-08 03:00", "2026-03-08 12:00"),
    ("clocks go back", ["America/New_York"], "2026-11-01 02:00", "2026-11-01 13:00"),
    ("a quarter of an hour off", ["Asia/Kathmandu"], "2026-03-02 16:00", "2026-03-03 02:15"),
    ("from Hawaii to Saipan it is never day", ["Pacific/Honolulu", "Pacific/Saipan", "Europe/Paris"], "2026-03-02 14:00", None),
]  # fmt: skip


@pytest.mark.parametrize(("zones", "at", "allowed"), [case[1:] for case in NIGHTS], ids=[case[0] for case in NIGHTS])
def test_quiet_hours(zones: list[str], at: str, allowed: str | None) -> None:
    expected = datetime.fromisoformat(allowed).replace(tzinfo=UTC) if allowed else None
    assert quiet.allowed(zones, datetime.fromisoformat(at).replace(tzinfo=UTC)) == expected


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)), st.sampled_from(["+14155552671", "+12085551234", "+61412345678"]))  # fmt: skip
def test_what_is_allowed_is_by_day_everywhere(naive: datetime, number: str) -> None:
    zones, at = numbers.zones(number), naive.replace(tzinfo=UTC)
    allowed = quiet.allowed(zones, at)
    if allowed is not None:
        assert all(8 <= allowed.astimezone(ZoneInfo(zone)).hour < 21 for zone in zones)
        assert allowed >= at
        assert allowed < quiet.ends(zones, allowed) <= allowed + timedelta(hours=13)


# a change of the good file; what is found
FINDINGS = [
    (
        "a late that repeats the promise",
        [('"{{ brand }}: it takes longer."', "We answer by {{ promised_at }}.")],
        ["11:9: warning: late: repeats the promise that was not kept; say what happens next instead"],
    ),
    (
        "a late that repeats it in words",
        [("Claims take longer.", "One more of 1 hour.")],
        ["26:20: warning: late: repeats the promise that was not kept; say what happens next instead"],
    ),
    (
        "a closed that promises the sla alone",
        [("We are here {{ agent_hours }} and answer {{ opens }}.", "We answer within {{ sla }}.")],
        [
            "12:11: warning: closed: promises an answer within the sla when nobody is there; "
            "say {{ opens }} or {{ promised_at }}"
        ],
    ),
    (
        "an ended that promises",
        [("Thank you.", "We answer within {{ sla }}.")],
        ["13:10: warning: ended: promises an answer in a conversation that has ended"],
    ),
    (
        "a promise where not every branch has one",
        [("    sla: 1 hour\n", "")],
        [
            "10:13: error: received: promised_at: unknown template variable; "
            "allowed: agent_hours, branch, brand, caller, opens; not every branch that gets it has an sla",
            "10:13: error: received: sla: unknown template variable; "
            "allowed: agent_hours, branch, brand, caller, opens; not every branch that gets it has an sla",
            "25:14: warning: late: without an sla nothing is late; add one, or leave it out",
        ],
    ),
    (
        "promised_at in a greeting",
        [('greeting: "{{ brand }} here.', 'greeting: "{{ promised_at }} here.')],
        [
            "18:15: error: greeting: promised_at: only the texts of `expect` know by when an answer is promised; "
            "say it there",
            "23:15: error: greeting: promised_at: only the texts of `expect` know by when an answer is promised; "
            "say it there",
        ],
    ),
    (
        "a promise by night, without a closed",
        [("and we text you.", "and we answer within {{ sla }}."), ("    sla: 1 hour", "    sla: 2 hours")],
        [
            "6:1: warning: hours: billing's offer promises an answer within 10 minutes out of hours, too; "
            "add a closed that says when it opens"
        ],
    ),
    (
        "no hours",
        [("hours: Mon-Fri 08:00-20:00; Sat 09:00-13:00\n", ""), ("{{ agent_hours }} and answer ", "")],
        [
            "11:3: error: closed: without hours it is never sent; add hours, or leave it out",
            "11:11: error: closed: opens: without hours it never closes; add hours, or leave it out",
        ],
    ),
    (
        "no desk",
        [("desk: {liveperson: {}}\n", "")],
        [
            "7:1: warning: warn_before: has no effect; without a desk nobody answers",
            "8:1: warning: expect: has no effect; without a desk nobody answers",
            "25:5: warning: expect: has no effect; without a desk nobody answers",
        ],
    ),
    (
        "a native desk",
        [("{liveperson: {}}", "{native: {}}"), ("    expect: {late: Claims take longer.}\n", "")],
        [
            "8:1: warning: warn_before: has no effect; LivePerson owns the number's texts",
            "9:1: warning: expect: has no effect; LivePerson owns the number's texts",
            "14:1: warning: follow_up: has no effect; LivePerson owns the number's texts, and nobody here sees an answer",
        ],
    ),
    (
        "a warning as long as the promise",
        [("warn_before: 2 minutes", "warn_before: 10 minutes")],
        ["8:14: warning: warn_before: as long as an sla, or longer; agents would be warned at once"],
    ),
    (
        "a follow-up by night",
        [("after: 2 hours", "after: 12 hours")],
        [
            "14:20: warning: after: most calls would be followed up between 21:00 and 08:00, when it waits; "
            "say another time"
        ],
    ),
    (
        "a follow-up without opt-out words",
        [("Still there? Reply STOP to opt out.", "Still there?")],
        [
            "14:35: warning: follow_up: does not say how to opt out; end it with words like: Reply STOP to opt out."
        ],
    ),
    (
        "a follow-up without its time",
        [("after: 2 hours, ", "")],
        ["14:12: error: after is missing; follow_up needs it"],
    ),
    ("a misspelt text", [("  ended:", "  endet:")], ["13:3: error: endet: unknown key; did you mean ended?"]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), [case[1:] for case in FINDINGS], ids=[case[0] for case in FINDINGS])
def test_a_finding(tmp_path: Path, changes: list[tuple[str, str]], expected: list[str]) -> None:
    assert read(tmp_path, *changes) == expected


def test_the_page_s_example_is_good(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    block = re.search(r"## The promise, along the way\n\n```yaml\n(.*?)```", page, re.DOTALL)
    assert block
    more = GOOD[: GOOD.index("hours:")] + "fallback: {say: Goodbye.}\n"
    branch = GOOD[GOOD.index("    offer:") : GOOD.index("    sla: 10")]
    whole = more.replace(', "+1 415 555 0101": claims', "") + block[1] + branch
    file = tmp_path / "acme.yaml"
    file.write_text(whole, encoding="utf-8")
    assert [str(finding) for finding in load([file]).findings] == []
