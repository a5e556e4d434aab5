"""The containment report: small tables computed by hand, what is missing said where it stands, pages and rows."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.traffic import contained_html, contained_page, contained_rows, records
from ivr.traffic.cells import DAY
from ivr.traffic.contained import ALL, Containment, Material, Period, Talk, containment
from ivr.traffic.occasions import Event, Group
from ivr.traffic.opened import BrokenFile
from ivr.traffic.records import Asked

BEGINS = int(datetime(2026, 8, 1, tzinfo=UTC).timestamp())
ENDS = int(datetime(2026, 11, 25, tzinfo=UTC).timestamp())
PERIOD = Period(BEGINS, ENDS, UTC)


@dataclass(frozen=True)
class Costs:
    currency: str = "USD"
    call_minute: float = 0.5
    call_length: int | None = 360
    conversation: float = 2.0
    text: float = 0.01


def calls(
    group: Group, many: int, again: int, first: int = 0, at: int = BEGINS + DAY, branch: str = "billing"
) -> list[Event]:
    """Of `many` callers `again` call once more a day later, and decline, or are held back as before."""
    told = []
    for place in range(first, first + many):
        caller = f"+1415555{place:04d}"
        told.append(Event(caller, at + place, branch, group, group != "texted"))
        if place - first < again:
            told.append(Event(caller, at + place + DAY, branch, "held" if group == "held" else "declined", True))
    return told


# 100 texted of whom 20 call again; 100 decline, 30 again; 50 heard no offer, 15 again.
# Calls that stay: texted 20 of 100, declined 130 of 100, held 65 of 50.
# Against the control group: (65/50 - 150/200) * 200 = 110. Against who declined: (130/100 - 20/100) * 100 = 110.
TOLD = [*calls("texted", 100, 20), *calls("declined", 100, 30, 1000), *calls("held", 50, 15, 2000)]
TALKS = [Talk(f"+1415555{place:04d}", BEGINS + DAY + place, "billing") for place in range(60)]
TEXTS = [(BEGINS + DAY, "billing")] * 200


def report(events: Sequence[Event] = TOLD, costs: Costs | None = None, period: Period = PERIOD) -> Containment:
    return containment("acme", Material(events, TALKS, TEXTS), period, costs)


def test_by_hand() -> None:
    found = report(costs=Costs())
    assert [(cell.branch, cell.month) for cell in found.cells] == [
        ("", ""), ("", "2026-08"), ("billing", ""), ("billing", "2026-08"),
    ]  # fmt: skip
    for cell in found.cells:
        assert dict(cell.counts) == {"texted": 100, "declined": 100, "held": 50}
        rates = {key: figure.middle for key, figure in cell.again.items() if figure}
        assert rates["texted", "7 days"] == rates["texted", "90 days"] == 0.2
        assert rates["texted", "24 hours"] == 0.0, "a day later is not within 24 hours"
        assert (rates["declined", "7 days"], rates["held", "7 days"]) == (0.3, 0.3)
        assert cell.control
        assert cell.declined
        assert cell.control.middle == pytest.approx(110)
        assert cell.declined.middle == pytest.approx(110)
        assert cell.minutes
        assert cell.money
        assert cell.minutes.middle == pytest.approx(110 * 6)
        assert cell.money.middle == pytest.approx(110 * 6 * 0.5 - 60 * 2 - 200 * 0.01)
        assert (cell.conversations, cell.texts) == (60, 200)


def test_the_interval_by_hand() -> None:
    """Offered: 75 % and its variance over 200 callers; held: 130 %, over 50; t of 49 degrees."""
    cell = report().cell("billing", ALL)
    assert cell
    assert cell.control
    # texted 80 x 0, 20 x 1; declined 70 x 1, 30 x 2: mean 0.75, squares 80 x .5625 + 90 x .0625 + 30 x 1.5625
    offered = 80 * 0.5625 + 90 * 0.0625 + 30 * 1.5625
    held = 35 * 0.09 + 15 * 0.49
    spread = (offered / 200**2 + held / 50**2) * 250 / 249
    half = 2.0096 * spread**0.5 * 200
    assert cell.control.high - cell.control.middle == pytest.approx(half, rel=0.001)


def test_a_text_that_brings_more_calls_than_it_saves_is_below_zero() -> None:
    events = [*calls("texted", 40, 0), *calls("held", 40, 0, 2000)]
    events += [Event(one.caller, one.at + hour * 3600, "", "", True) for one in events[:40] for hour in (1, 2)]
    cell = report(events).cell("billing", ALL)
    assert cell
    assert cell.control
    assert cell.control.middle == pytest.approx(-40)
    assert "net calls saved -40" in "\n".join(contained_page.page(report(events)))


def test_whose_time_is_not_over_is_in_no_figure() -> None:
    late = calls("texted", 30, 0, 5000, ENDS - 3 * DAY)
    cell = report([*TOLD, *late]).cell("billing", "2026-11")
    assert cell
    assert cell.saved is None
    day, week = cell.again["texted", "24 hours"], cell.again["texted", "7 days"]
    assert day
    assert day.sample == 30
    assert week is None
    assert "of 30 texted calls the 7 days are not over; they are in no figure of savings" in cell.notes


NOTES = [
    ("fewer than three months", report(calls("texted", 20, 0, at=ENDS - 60 * DAY)), "Fewer than three months: 60 days"),
    ("no records", report(), "No records of the brand's other lines"),
    ("withheld", containment("acme", Material(TOLD, [], [], withheld=100), PERIOD, None), "100 calls (24.1%) came from withheld"),
    ("no conversations", containment("acme", Material(TOLD, [], []), PERIOD, None), "No conversations are known"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "said"), [case[1:] for case in NOTES], ids=[case[0] for case in NOTES])
def test_what_is_missing_is_said(found: Containment, said: str) -> None:
    assert any(note.startswith(said) for note in found.notes), found.notes
    assert said in "\n".join(contained_page.page(found))
    assert said in contained_html.page(found).replace("&#39;", "'")


CELL_NOTES = [
    ("few texted", [*calls("texted", 12, 3), *calls("held", 12, 3, 2000)], "small sample: 12 texted callers"),
    ("a small control group", TOLD, "small control group: 50 callers"),
    ("none", calls("texted", 12, 3), "no control group: nobody was kept from the offer"),
    ("too small a one", [*TOLD[:240], *calls("held", 9, 2, 2000)], "no control group: fewer than 10 callers"),
]


@pytest.mark.parametrize(("events", "said"), [case[1:] for case in CELL_NOTES], ids=[case[0] for case in CELL_NOTES])
def test_what_a_figure_lacks_is_said_where_it_stands(events: list[Event], said: str) -> None:
    cell = report(events).cell("billing", ALL)
    assert cell
    assert any(note.startswith(said) for note in cell.notes), cell.notes


def test_without_a_control_group_the_comparison_is_named() -> None:
    found = report(TOLD[:250])
    assert "against who declined (not a fair comparison)" in "\n".join(contained_page.page(found))
    assert "against who declined</span>" in contained_html.page(found)


def test_returning_texters_had_texted_before() -> None:
    again = [Talk(talk.caller, talk.at + 40 * DAY, "bookings") for talk in TALKS[:15]]
    strangers = [Talk(f"+1212555{place:04d}", BEGINS + 41 * DAY, "bookings") for place in range(15)]
    events = [*TOLD, *calls("texted", 30, 0, 7000, BEGINS + 40 * DAY, "bookings")]
    found = containment("acme", Material(events, [*TALKS, *again, *strangers], []), PERIOD, None)
    cells = {(cell.branch, cell.month): cell.returning for cell in found.cells}
    september, august = cells["bookings", "2026-09"], cells["billing", "2026-08"]
    assert september
    assert august
    assert (september.middle, september.sample) == (0.5, 30)
    assert august.middle == 0


def test_every_figure_is_a_row_and_no_row_is_a_formula() -> None:
    lines = list(contained_rows.rows(report(costs=Costs())))
    assert {len(line) for line in lines} == {12}
    net = [line for line in lines if line[2:6] == ("billing", "all", "net calls saved", "against who heard no offer")]
    assert net[0][7] == 110.0
    assert [line[7] for line in lines if line[4] == "money saved USD" and line[2] == "billing"] == [208.0, 208.0]


def test_the_page_escapes_and_needs_no_network() -> None:
    hostile = "<script>alert(1)</script>"
    events = [event._replace(branch=hostile) for event in TOLD]
    html = contained_html.page(containment(hostile, Material(events, [], []), PERIOD, Costs(), simulated=True))
    assert "<script>alert" not in html
    assert "Simulated: no person made these calls" in html
    assert not re.search(r"<script|<link|src=|@import|url\(", html)
    addresses = set(re.findall(r"https?://[^\s\"'<]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}, addresses
    assert html.count("<svg") == 2


def test_without_calls_there_is_a_page_all_the_same() -> None:
    empty = containment("acme", Material([], [], []), PERIOD, None)
    assert "No call of these months had an offer due." in contained_html.page(empty)
    assert "No call of these months had an offer due." in "\n".join(contained_page.page(empty))


ASKED = Asked(UTC, {}, "US")
KNOWN = {event.caller for event in TOLD}


def written(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "calls.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_records_bring_calls_that_never_touched_us(tmp_path: Path) -> None:
    """Each texted caller who did not call us again called the front desk, in every way of writing a number."""
    forms = ("+14155550{:03d}", "(415) 555-0{:03d}", "1-415-555-0{:03d}", "'+1 415 555 0{:03d}", "4155550{:03d}")
    rows = "".join(
        f"2026-08-0{2 + (place + 36000) // 86400} {(place + 36000) // 3600 % 24:02d}:30:00,{forms[place % 5].format(place)},front,240\n"
        for place in range(20, 100)
    )
    last = "2026-11-24 10:00:00,+12125550100,front,60\n"
    told = records.read(written(tmp_path, "Start Time,From,Queue,Duration\n" + rows + last), ASKED, KNOWN)
    assert len(told.others) == 80
    material, period = records.with_records(Material(TOLD, TALKS, TEXTS), told, PERIOD)
    found = containment("acme", material, period, None)
    cell = found.cell("billing", ALL)
    assert cell
    again = cell.again["texted", "7 days"]
    assert again
    assert again.middle == 1.0, "all called again, somewhere"
    assert period.ends == int(datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp())
    assert "The records end on 2026-11-24, and so does this report." in found.notes


HOSTILE = [
    ("empty", b"", "nothing is in it"),
    ("a workbook", b"PK\x03\x04 and so on", "a workbook or an archive"),
    ("no caller", b"Start Time,Queue\n2026-08-02 10:00,front\n", "no column is known to hold the caller's number"),
    ("no time", b"From,Queue\n+14155550001,front\n", "no column is known to hold the time"),
    ("nothing that can be read", b"Start Time,From\nsoon,+14155550001\nlater,+14155550002\n", "2 of 2 rows cannot be read"),
    ("a line without an end", b"Start Time,From\n" + b"x" * 1_100_000, "longer than 1,000,000 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "said"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(BrokenFile) as raised:
        records.read(written(tmp_path, content), ASKED, KNOWN)
    assert said in str(raised.value)


READ = [
    ("UTF-16", "Start Time;From\n2026-08-02 10:00;+14155550001\n".encode("utf-16"), 1, 0),
    ("cp1252", "Start Time;From;Nöte\n2026-08-02 10:00;+14155550001;ü\n".encode("cp1252"), 1, 0),
    ("formulas", b'Start Time,From,Note\n2026-08-02 10:00,"=""+14155550001""",=cmd|x\n', 1, 0),
    ("a quote never closed", b'Start Time,From\n"2026-08-02 10:00,+14155550001\n2026-08-02 11:00,+14155550001\n', 1, 1),
    ("a broken row, by its line", b"Start Time,From\nno,+14155550001\n2026-08-02 10:00,+14155550001\n", 1, 1),
    ("withheld", b"Start Time,From\n2026-08-02 10:00,anonymous\n", 0, 0),
    ("Twilio's own", b"Sid,From,To,Start Time,Direction\nCA1,+14155550001,+14155550100,2026-08-02T10:00:00Z,inbound\n"
     b"CA2,+14155550100,+14155550001,2026-08-02T11:00:00Z,outbound-dial\n", 1, 0),
]  # fmt: skip


@pytest.mark.parametrize(("content", "calls", "broken"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_a_file_that_can_be_read_is(tmp_path: Path, content: bytes, calls: int, broken: int) -> None:
    told = records.read(written(tmp_path, content), ASKED, KNOWN)
    assert len(told.others) == calls
    assert bool(told.said) is bool(broken)
    assert not broken or told.said[0].startswith("line 2")


def test_numbers_never_stand_in_what_is_written() -> None:
    found = report(costs=Costs())
    out = io.StringIO()
    csv.writer(out).writerows(contained_rows.rows(found))
    told = out.getvalue() + contained_html.page(found) + "\n".join(contained_page.page(found))
    assert not re.search(r"\+?1?415555\d{4}", told)
