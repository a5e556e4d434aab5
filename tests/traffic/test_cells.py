"""Cells: lengths, times, callers and ends of calls, in every way that exports write them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from ivr import numbers
from ivr.traffic import cells, times
from ivr.traffic.times import Clock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("203", 203),
        ("203.5", 203.5),
        ("3,5", 3.5),
        ("1,203", 1203),
        ("3:23", 203),
        ("00:03:23", 203),
        ("00:03:23.400", 203),
        ("75:01", 4501),
        ("3m 23s", 203),
        ("1h 2m", 3720),
        ("10 minutes", 600),
        ("PT3M23S", 203),
        ('="00:03:23"', 203),
        ("'203", 203),
        (" 203 ", 203),
        ("", None),
        ("-", None),
        ("N/A", None),
    ],
)
def test_lengths(text: str, seconds: float | None) -> None:
    assert cells.seconds(text) == seconds


@pytest.mark.parametrize("text", ["-5", "soon", "1e3", "inf", "90000", "25:00:00", "3:75", "=1+1", "h", "3\0", "²"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(ValueError):
        cells.seconds(text)


def test_a_unit_is_for_plain_numbers() -> None:
    assert cells.seconds("1500", 0.001) == 1.5
    assert cells.seconds("2.5", 60) == 150
    assert cells.seconds("2:30", 60) == 150


NOON = int(datetime(2026, 9, 1, 18, 5, 33, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01T18:05:33Z",
        "2026-09-01 18:05:33+00:00",
        "2026-09-01 18:05:33 +0000",
        "2026-09-01T14:05:33-04:00",
        "2026-09-01T14:05:33.123-0400",
        "2026-09-01 18:05:33 UTC",
        "2026-09-01 14:05:33",
        "2026/09/01 14:05:33",
        "9/1/2026 2:05:33 PM",
        "09/01/2026 14:05:33",
        "9/1/26 2:05:33 p.m.",
        "09/01/2026, 2:05:33 pm",
        "1.9.2026 14:05:33",
        "01.09.2026 14:05:33",
        "14:05:33 EDT 2026-09-01",
        "11:05:33 PDT 2026-09-01",
        "2026-09-01 11:05:33 PDT",
        "Tue, 01 Sep 2026 18:05:33 +0000",
        "1 Sep 2026 14:05:33",
        str(NOON),
        f"{NOON}123",
    ],
)
def test_times(text: str) -> None:
    assert Clock(ZoneInfo("America/New_York")).read(text) == NOON


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-13-01", "0", "42", "99999999999", "1026-09-01", "9/31/2026", "25:00 2026-09-01", "13:05 AM 2026-09-01",
     "2026-09-01 14:05 XYZ", "=NOW()", "2026-09-01\0", "20260901", "Tue, 99 Sep 2026 18:05:33 +0000"],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        Clock(ZoneInfo("UTC")).read(text)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_time_is_read_or_is_a_value_error(text: str) -> None:
    try:
        seconds = Clock(ZoneInfo("Europe/Berlin")).read(text)
    except ValueError:
        return
    assert 631_152_000 <= seconds < 4_102_444_800


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2099, 12, 30)))
def test_a_time_and_its_hour_of_the_week_are_python_s_own(moment: datetime) -> None:
    zone = ZoneInfo("America/New_York")
    clock, wall = Clock(zone), moment.replace(microsecond=0)
    seconds = clock.read(wall.isoformat())
    assert seconds == int(wall.replace(tzinfo=zone).timestamp())
    local = datetime.fromtimestamp(seconds, zone)
    assert clock.slot(seconds) == (local.weekday() * 24 + local.hour, local.toordinal())
    assert clock.read(f"{wall:%m/%d/%Y %H:%M:%S}") == seconds
    assert Clock(zone, day_first=True).read(f"{wall:%d/%m/%Y %H:%M:%S}") == seconds


def test_which_comes_first_is_told_by_what_is_no_month() -> None:
    assert times.day_first(["3/4/2026", "13/4/2026"]) is True
    assert times.day_first(["3/4/2026", "4/13/2026"]) is False
    assert times.day_first(["3/4/2026", "2026-01-13"]) is None


@pytest.mark.parametrize(
    "text",
    ["+14155552671", "+1 (415) 555-2671", "(415) 555-2671", "415-555-2671", "415.555.2671", "1 415 555 2671", "4155552671",
     '="4155552671"', "'+14155552671", "0014155552671", "011 1 415 555 2671", "+1\u00a0415\u00a0555\u00a02671", "tel:+14155552671"],
)  # fmt: skip
def test_one_caller_however_the_number_is_written(text: str) -> None:
    assert cells.caller(text, "US") == "+14155552671"


@pytest.mark.parametrize(
    ("text", "region", "key"),
    [
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", "GB", "+442079460958"),
        ("0044 20 7946 0958", "GB", "+442079460958"),
        ("+44 20 7946 0958", "US", "+442079460958"),
        ("030 123456", "DE", "+4930123456"),
        ("02 1234 5678", "IT", "+390212345678"),
        ("sip:anna@example.com:5060", "US", "anna@example.com"),
        ("client:anna", "US", "client:anna"),
    ],
)
def test_callers_abroad_and_of_other_kinds(text: str, region: str, key: str) -> None:
    assert cells.caller(text, region) == key


@pytest.mark.parametrize(
    "text",
    ["", "anonymous", "Anonymous", "Restricted", "unknown", "+266696687", "+86282452253", "0000000000", "Private",
     "sip:anonymous@anonymous.invalid", "Unavailable", "-", "null", "withheld", "Blocked", "7378742833"],
)  # fmt: skip
def test_withheld_callers_are_nobody(text: str) -> None:
    assert cells.caller(text, "US") is None


def test_numbers_as_they_are_dialled_at_home_in_every_country() -> None:
    """Where they are not told from another country's, it is as dialled: islands, and enclaves that share a code."""
    known = re.findall(
        "..", "AC AD CC CK CX FK FO GL IM KI NC NF NU SB SH SJ SR TA TK TO TV VA VU WF WS".replace(" ", "")
    )
    for region in numbers.REGIONS:
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            e164, home, abroad = (
                phonenumbers.format_number(number, form)
                for form in (PhoneNumberFormat.E164, PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL)
            )
            assert cells.caller(abroad, "US") == e164
            assert cells.caller(home, region) == e164 or region in known, (region, home)
            assert cells.caller(home, region)


@settings(deadline=None)
@given(area=st.integers(200, 999), exchange=st.integers(200, 999), line=st.integers(0, 9999))
def test_the_quick_way_tells_callers_as_numbers_does(area: int, exchange: int, line: int) -> None:
    e164 = f"+1{area}{exchange}{line:04d}"
    number = numbers.read(e164)
    if number:
        assert cells.caller(e164, "US") == cells.caller(number.full, "US") == number.e164


@pytest.mark.parametrize(
    ("status", "left"),
    [("Abandoned", True), ("abandoned in queue", True), ("No Answer", True), ("no-answer", True), ("missed", True),
     ("canceled", True), ("completed", False), ("Answered", False), ("transferred", False), ("", None)],
)  # fmt: skip
def test_how_a_call_ended(status: str, left: bool | None) -> None:
    assert cells.left(status) is left


@pytest.mark.parametrize(("text", "yes"), [("Yes", True), ("1", True), ("FALSE", False), ("n", False), ("", None)])
def test_yes_and_no(text: str, yes: bool | None) -> None:
    assert cells.yes(text) is yes


@pytest.mark.parametrize(
    "direction", ["outbound-api", "outbound-dial", "outbound_dial", "Outgoing Dial", "OUT", "internal"]
)
def test_what_goes_out(direction: str) -> None:
    assert not cells.incoming(direction)
    for other in ("inbound", "Incoming", "Outage report", "trunking-originating"):
        assert cells.incoming(other)
    assert cells.incoming("")


def test_what_was_read_is_remembered_and_forgotten_in_time() -> None:
    asked: list[str] = []

    def read(text: str) -> int:
        asked.append(text)
        return len(text)

    known = cells.Remembered(read, most=2)
    assert [known[text] for text in ("a", "a", "bb", "ccc", "a")] == [1, 1, 2, 3, 1]
    assert asked == ["a", "bb", "ccc", "a"]
