"""The signature: what we sign is taken within five minutes, and whatever else comes is refused without a fuss."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.clients.signature import sign, verify

SECRET = "correct horse battery staple"
BODY = b'{"id":"m-1"}'
NOW = datetime(2026, 3, 2, 14, 22, 5, tzinfo=UTC)
HEADER = "t=1772461325,v1=da50b6bcb7d2dc2c26f9fa66a4e9ee7b126d797db5ce9e67f80f30b2fe3a1835"
MOMENT, RIGHT = HEADER.split(",v1=")
OTHER = "0" * 64


def test_the_exact_header() -> None:
    assert sign(SECRET, BODY, NOW) == HEADER


HEADERS = [
    ("ours", HEADER, True),
    ("with spaces between", HEADER.replace(",", " , "), True),
    ("with more than we know", f"{HEADER},v2=abc,x", True),
    ("the right one last", f"{MOMENT},v1={OTHER},v1={RIGHT}", True),
    ("the right one first", f"{MOMENT},v1={RIGHT},v1={OTHER}", True),
    ("two whole headers, as a server joins them", f"{MOMENT},v1={OTHER},{HEADER}", True),
    ("two moments", f"t=1772461326,{HEADER}", False),
    ("none right", f"{MOMENT},v1={OTHER},v1={OTHER}", False),
    ("upper case", f"{MOMENT},v1={RIGHT.upper()}", False),
    ("cut short", HEADER[:-1], False),
    ("too long", f"{HEADER}0", False),
    ("no moment", f"v1={RIGHT}", False),
    ("no signature", MOMENT, False),
    ("another version", HEADER.replace("v1", "v0"), False),
    ("another moment", HEADER.replace("t=1772461325", "t=1772461326"), False),
    ("a moment that is no number", HEADER.replace("t=1772461325", "t=now"), False),
    ("a moment below nothing", HEADER.replace("t=1772461325", "t=-1772461325"), False),
    ("a moment of wide digits", HEADER.replace("t=1772461325", "t=１７７２４６１３２５"), False),
    ("a moment with an underscore", HEADER.replace("t=1772461325", "t=1_772461325"), False),
    ("a huge moment", HEADER.replace("t=1772461325", "t=" + "9" * 400), False),
    ("a signature that is not ASCII", f"{MOMENT},v1=ä", False),
    ("huge", HEADER + ",v1=" + "0" * 10_000, False),
    ("nothing", "", False),
]


@pytest.mark.parametrize(("header", "good"), [case[1:] for case in HEADERS], ids=[case[0] for case in HEADERS])
def test_every_header(header: str, good: bool) -> None:
    assert verify(SECRET, header, BODY, NOW) is good


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_five_minutes_both_ways(seconds: int, good: bool) -> None:
    assert verify(SECRET, HEADER, BODY, NOW + timedelta(seconds=seconds)) is good


def test_another_body_and_another_secret() -> None:
    assert not verify(SECRET, HEADER, BODY + b" ", NOW)
    assert not verify("another", HEADER, BODY, NOW)


def test_without_a_secret_nothing_is_signed() -> None:
    assert not verify("", sign("", BODY, NOW), BODY, NOW)


@given(st.text(st.characters()) | st.from_regex(r"(t=[0-9]*|v1=[0-9a-f]*|,| ){1,9}", fullmatch=True))
@example("\ud800")
@example("t=²,v1=")
def test_nothing_hostile_raises(header: str) -> None:
    assert verify(SECRET, header, BODY, NOW) is False


@given(
    st.binary(),
    st.text(st.characters(codec="utf-8"), min_size=1),
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),
)
def test_what_is_signed_is_taken(body: bytes, secret: str, at: datetime) -> None:
    moment = at.replace(tzinfo=UTC)
    assert verify(secret, sign(secret, body, moment), body, moment)
