"""A list of who uses the app, in whatever making: read, or said with its line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.traffic.consumer_list import ConsumerList, Listed
from ivr.traffic.opened import BrokenFile


def read(tmp_path: Path, content: str | bytes, region: str = "US") -> tuple[list[Listed], list[str]]:
    file = tmp_path / "consumers.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    there = ConsumerList(file, region)
    return list(there.listed()), there.reading.named


def test_every_column(tmp_path: Path) -> None:
    head = "Phone,App Token,OS,Customer ID,Enrolled,Last Active\n"
    found, wrong = read(tmp_path, head + "(415) 555-2671,d1:A d2;d3|d4,iPhone,C-1,yes,2026-03-01T10:00:00Z\n")
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert found == [Listed("+14155552671", token, "ios", "C-1", True, at) for token in ("d1:A", "d2", "d3", "d4")]
    assert wrong == []


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ("number\n+14155552671\n", Listed("+14155552671", "", "", "", True, None)),
        ("msisdn;token\n+49 151 23456789;d1\n", Listed("+4915123456789", "d1", "", "", True, None)),
        ("sep=|\nnumber|token\n+14155552671|d1\n", Listed("+14155552671", "d1", "", "", True, None)),
        ("\ufeffnumber,enrolled\r\n=\"+14155552671\",no\r\n", Listed("+14155552671", "", "", "", False, None)),
        ("App users, March\nnumber,enrolled\n+14155552671,\n", Listed("+14155552671", "", "", "", False, None)),
        ("number,last_seen\n+14155552671,1772359200\n", Listed("+14155552671", "", "", "", True, datetime(2026, 3, 1, 10, tzinfo=UTC))),
    ],
)  # fmt: skip
def test_makings(tmp_path: Path, content: str, row: Listed) -> None:
    assert read(tmp_path, content) == ([row], [])
    assert read(tmp_path, content.encode("utf-16")) == ([row], [])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x,d1,ios,c,yes,2026-03-01", "line 3: no phone number that can be read"),
        (",d1,ios,c,yes,2026-03-01", "line 3: no phone number that can be read"),
        ("911,d1,ios,c,yes,2026-03-01", "line 3: no phone number that can be read"),
        ("+14155552671,dé,ios,c,yes,2026-03-01", "line 3: a token that is none: at most 1000 characters, no accents"),
        (f"+14155552671,{'d' * 1001},ios,c,yes,", "line 3: a token that is none: at most 1000 characters, no accents"),
        (f"+14155552671,{' d' * 21},ios,c,yes,", "line 3: 21 tokens; at most 20"),
        ("+14155552671,d1,nokia\x1b[2J,c,yes,", "line 3: platform 'nokia [2J' is none; write android or ios"),
        ("+14155552671,d1,ios,c,perhaps,", "line 3: neither yes nor no"),
        ("+14155552671,d1,ios,c,yes,soon", "line 3: no time that can be read"),
        ("+14155552671,d1", "line 3: 2 cells, the header has 6"),
        ("+14155552671,d1,ios,c,yes,,and,more", "line 3: 8 cells, the header has 6"),
        (
            f"+14155552671,d1,ios,{'c' * 201},yes,",
            "line 3: external_id: more than 200 characters, or one that cannot be kept",
        ),
        ('"+14155552671,d1,ios,c,yes,', "line 3: a quote that is never closed"),
        pytest.param(f"{'1' * 65_536},d1,ios,c,yes,", "line 3: no phone number that can be read", id="64 kB of number"),
        pytest.param(
            f"+14155552671,{'d' * 65_536},ios,c,yes,",
            "line 3: a token that is none: at most 1000 characters, no accents",
            id="64 kB of token",
        ),
        pytest.param(
            f"+14155552671,d1,ios,{'c' * 65_536},yes,",
            "line 3: external_id: more than 200 characters, or one that cannot be kept",
            id="64 kB of id",
        ),
        pytest.param(
            f"+14155552671,d1,ios,c,yes,{'2' * 65_536}", "line 3: a time before 1990 or after 2100", id="64 kB of time"
        ),
        pytest.param(f"+14155552671,d1,ios,c,{'y' * 65_536},", "line 3: neither yes nor no", id="64 kB of yes"),
    ],
)
def test_a_bad_row_is_said_and_the_others_are_read(tmp_path: Path, row: str, said: str) -> None:
    good = "+1415555267{},d,android,c,1,\n"
    found, wrong = read(
        tmp_path,
        f"number,token,platform,external_id,enrolled,last_active\n{good.format(1)}{row}\n{good.format(2)}",
    )
    assert [each.number for each in found] == ["+14155552671", "+14155552672"]
    assert wrong == [said]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "nothing is in it"),
        (b"PK\x03\x04" + b"x" * 99, "workbook"),
        (b"a,b\n1,2\n", "no column is named number"),
        (b"number\n" + b"1" * 1_100_000, "longer than"),
    ],
)
def test_what_is_no_list(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(BrokenFile, match=said):
        read(tmp_path, content)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='number,;\t|"\n\r+0123456789=\0é', max_size=300).map(str.encode))
def test_whatever_is_in_the_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("list") / "consumers.csv"
    file.write_bytes(b"number,token\n" + content)
    there = ConsumerList(file, "US")
    try:
        found = list(there.listed())
    except BrokenFile:
        return
    assert all(each.number.startswith("+") and "\0" not in each.token for each in found)
