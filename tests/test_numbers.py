"""Numbers: read, written in full format, and told apart by whether anybody should text them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import numbers

FULL = [
    ("E.164", "+14155552671", "+1(415) 555-2671"),
    ("full format", "+1(415) 555-2671", "+1(415) 555-2671"),
    ("spaced", "+1 415 555 2671", "+1(415) 555-2671"),
    ("dashes and spaces around", "  +1-415-555-2671 ", "+1(415) 555-2671"),
    ("Canada", "+14165550123", "+1(416) 555-0123"),
    ("Britain stays E.164", "+44 7911 123456", "+447911123456"),
]


@pytest.mark.parametrize(("text", "full"), [case[1:] for case in FULL], ids=[case[0] for case in FULL])
def test_full_format(text: str, full: str) -> None:
    number = numbers.read(text)
    assert number is not None
    assert number.full == full
    assert numbers.full(text) == full


@pytest.mark.parametrize(
    "text",
    ["", "anonymous", "Anonymous", "unknown", "Restricted", "unavailable", "private", "+266696687", "266696687",
     "+86282452253", "+8656696", "+2562533", "+7378742833", "client:ann", "client:Anonymous", "4155552671",
     "sip:+14155552671@example.com", "+14155552671;ext=5", "+1415555267", "+141555526712", "+15555555555", "+", "+1",
     "whatsapp:+14155552671", "+1\u0661\u0662", "+1415555\n2671 OR 1=1", "x" * 5000],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert numbers.read(text) is None


WHY_NOT = [
    ("a mobile at home", "+14155552671", None),
    ("nobody", "anonymous", "no_number"),
    ("toll-free", "+18005551212", "toll_free"),
    ("premium", "+19005551212", "premium"),
    ("British 0843", "+448432101234", "premium"),
    ("shared cost", "+43810123456", "shared_cost"),
    ("pager", "+447640123456", "pager"),
    ("abroad", "+447911123456", "region"),
    ("the other half of the plan", "+14165550123", "region"),
]


@pytest.mark.parametrize(("text", "why"), [case[1:] for case in WHY_NOT], ids=[case[0] for case in WHY_NOT])
def test_why_not_texted(text: str, why: str | None) -> None:
    assert numbers.why_not_texted(numbers.read(text), {"US"}) == why


def test_masked() -> None:
    assert numbers.masked("+14155552671") == "+1(415) ***-**71"
    assert numbers.masked("+1(415) 555-2671") == "+1(415) ***-**71"
    assert numbers.masked("+447911123456") == "+44***56"
    assert numbers.masked("sip:ann@example.com") == "***om"
    assert numbers.masked("12") == "***"


@given(st.integers(200, 989), st.integers(2_000_000, 9_999_999))
def test_the_full_format_reads_back(area: int, local: int) -> None:
    number = numbers.read(f"+1{area}{local}")
    if number is not None:
        assert len(number.full) == 16
        assert numbers.read(number.full) == number


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    number = numbers.read(text)
    assert number is None or number.e164.startswith("+")


KEYED = [
    ("ten digits", "4155552671", ["US"], "+14155552671"),
    ("eleven digits", "14155552671", ["US"], "+14155552671"),
    ("started over", "415*4155552671", ["US"], "+14155552671"),
    ("started over twice", "1*4155550000*4155552671", ["US"], "+14155552671"),
    ("over, and nothing more", "4155552671*", ["US"], None),
    ("nothing", "", ["US"], None),
    ("too short", "5552671", ["US"], None),
    ("too long", "415555267112345678", ["US"], None),
    ("an emergency", "911", ["US"], None),
    ("no such area", "0155552671", ["US"], None),
    ("toll-free", "8005551212", ["US"], None),
    ("premium", "9005550123", ["US"], None),
    ("Canada, not among the regions", "6045550123", ["US"], None),
    ("Canada", "6045550123", ["US", "CA"], "+16045550123"),
    ("letters cannot be", "41555A2671", ["US"], None),
    ("digits of another script", "٤١٥٥٥٥٢٦٧١", ["US"], None),
    ("Britain, as at home", "07400123456", ["GB"], "+447400123456"),
    ("Britain, with the country code", "447400123456", ["GB"], "+447400123456"),
    ("Britain, dialled from the US", "011447400123456", ["US", "GB"], "+447400123456"),
    ("Britain, not among the regions", "447400123456", ["US"], None),
    ("British premium", "09098790879", ["GB"], None),
    ("British 0843", "08432101234", ["GB"], None),
    ("British pager", "07640123456", ["GB"], None),
    ("German pager", "16412345", ["DE"], None),
    ("Austrian shared cost", "0810123456", ["AT"], None),
    ("Austrian shared cost, with the country code", "43810123456", ["AT"], None),
    ("Swiss shared cost", "0840123456", ["CH"], None),
    ("Austrian premium", "0900123456", ["AT"], None),
    ("American, where both could be", "4155552671", ["GB", "US"], "+14155552671"),
    ("Germany", "015112345678", ["DE"], "+4915112345678"),
]


@pytest.mark.parametrize(("digits", "regions", "e164"), [case[1:] for case in KEYED], ids=[case[0] for case in KEYED])
def test_a_number_as_it_is_keyed_in(digits: str, regions: list[str], e164: str | None) -> None:
    number = numbers.keyed(digits, regions)
    assert (number.e164 if number else None) == e164


@given(st.text(alphabet="0123456789*#wABCD ", max_size=40))
def test_whatever_is_keyed_in_is_a_number_of_the_regions_or_none(digits: str) -> None:
    number = numbers.keyed(digits, ["US", "GB"])
    assert number is None or (number.region in ("US", "GB") and number.kind is None)


ANN = "ann@example.com"
NAMES = [
    ("a number", "+14155552671", "+14155552671"),
    ("a number that cannot be, and is the same each time", "+10155552671", "+10155552671"),
    ("a SIP phone", "sip:ann@example.com", ANN),
    ("by another port", "sip:ann@example.com:5061", ANN),
    ("by another transport", "sips:Ann@EXAMPLE.com:5061;transport=tls", ANN),
    ("with headers", "SIP:ann@example.com?x=1", ANN),
    ("a client", "client:ann", "client:ann"),
    ("a client in capitals", "CLIENT:Ann", "client:ann"),
    ("withheld", "anonymous", None),
    ("withheld, as digits", "+266696687", None),
    ("a SIP phone without a name", "sip:anonymous@anonymous.invalid", None),
    ("a client without a name", "client:Anonymous", None),
    ("nothing", "", None),
]


@pytest.mark.parametrize(("address", "key"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_who_calls_is_told_from_others(address: str, key: str | None) -> None:
    assert numbers.caller_key(address) == key


def test_ten_digits_are_read_where_they_are_most_likely() -> None:
    regions = ["GB", "US"]
    assert [numbers.keyed("7402234567", order).region for order in (regions, regions[::-1])] == regions  # type: ignore[union-attr]


@pytest.mark.parametrize("digits", ["4155552672#", "4155552672##", "911*4155552672#"])
def test_the_key_that_ends_a_number_is_no_part_of_it(digits: str) -> None:
    found = numbers.keyed(digits, ["US"])
    assert found is not None
    assert found.e164 == "+14155552672"
