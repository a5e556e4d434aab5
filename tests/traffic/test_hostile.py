"""Hostile call logs, as `estimate` and `report containment` read them: one clear sentence, or read right; no traceback."""

import csv
import io
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ivr.cli import main
from ivr.traffic import records
from ivr.traffic.columns import NoSuchColumn
from ivr.traffic.opened import BrokenFile
from ivr.traffic.records import Asked
from tests.flow.test_aims import ACME
from tests.traffic.logs import UTC

HEAD = b"Start Time,Queue,From,Duration,Wait\n"
ROW = b"2026-11-02 10:00,Billing,+14155552671,120,30\n"
ASKED = Asked(UTC, {}, "US")
KNOWN = {"+14155552671"}

# What is in the file, the end of the command, and a part of what it says where it says anything.
FILES = {
    "broken UTF-8 after a mark": (b"\xef\xbb\xbf" + HEAD + ROW + b"2026-11-02,\xff\xfe,x,1,1\n", 1, "not utf-8-sig after line"),
    "half of a UTF-16 character": ((HEAD + ROW).decode().encode("utf-16") + b"\x00\xd8\x00", 1, "not utf-16 after line"),
    "UTF-32": ((HEAD + ROW).decode().encode("utf-32"), 1, "calls.csv"),
    "a zero in every cell": (HEAD + ROW + b"2026-11-02 10:00,Bil\0ling,+1415\0,\0,\0\n", 0, "line 3"),
    "a separator that is none": ((HEAD + ROW).replace(b",", b"^"), 1, "no column is known to hold the time"),
    "two kinds of separators": (HEAD + ROW * 3 + ROW.replace(b",", b";"), 0, "line 5"),
    "a cell of 200,000 letters": (HEAD + ROW * 3 + b"2026-11-02 10:00," + b"x" * 200_000 + b",+14155552671,1,1\n", 0, ""),
    "the same header twice": (b"Start Time,Start Time,Queue,From\n2026-11-02 10:00,2026-11-03 11:00,A,+14155552671\n", 0, ""),
    "negative waits and lengths": (HEAD + ROW * 3 + b"2026-11-02 10:00,Billing,+14155552671,120,-30\n2026-11-02 10:00,Billing,+14155552671,-1,3\n", 0, "'-30': no length that can be read"),
    "dates of every kind": (HEAD + b"".join(when + b",Billing,+14155552671,1,1\n" for when in (
        b"2026-11-02T10:00:00Z", b"11/2/2026 10:00 AM", b'"Mon, 02 Nov 2026 10:00:00 +0000"', b"1793613600", b"02-Nov-2026 10:00", b"2026/11/02 10:00")), 0, ""),
    "years that are none": (HEAD + ROW * 5 + b"0000-00-00 00:00,A,x,1,1\n9999-12-31 23:59,A,x,1,1\n" + b"9" * 30 + b",A,x,1,1\n", 0, "line 7"),
    "digits of other scripts": (HEAD + ROW * 2 + "2026-11-02 10:00,A,+١٤١٥٥٥٥٢٦٧١,٣,²\n".encode(), 0, "line 4"),
    "a formula in every cell": (HEAD + ROW * 2 + b'=1+1,=cmd|x,@SUM(1),+1,-1\n', 0, "line 4"),
    "quotes that swallow the rest": (HEAD + ROW * 2 + b'2026-11-02,"Billing' + ROW * 5, 0, "a quote that is never closed"),
    "nothing but separators": (b",,,,\n" * 1000, 1, "no column is known to hold the time"),
}  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hostile")
    (directory / "flows").mkdir()
    (directory / "flows" / "acme.yaml").write_text(ACME, encoding="utf-8")
    return directory


@pytest.fixture
def file(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{here}/ivr.db")
    monkeypatch.setenv("FLOWS_DIR", str(here / "flows"))
    return here / "calls.csv"


@pytest.mark.parametrize(
    "command", [["estimate"], ["report", "containment", "--until", "2026-11-25", "--calls"]], ids=["estimate", "report"]
)
@pytest.mark.parametrize(("content", "code", "said"), FILES.values(), ids=FILES)
def test_one_sentence_or_read_right(
    file: Path, capsys: pytest.CaptureFixture[str], command: list[str], content: bytes, code: int, said: str
) -> None:
    file.write_bytes(content)
    assert main.main([*command, str(file)]) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert all(line.isprintable() and len(line) < 400 for line in printed.err.splitlines())
    assert bool(printed.out) is not bool(code)
    assert not code or printed.err.count("\n") == 1


def test_of_two_columns_with_a_name_the_first_is_read_and_that_is_said(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(FILES["the same header twice"][0])
    said = "Start Time stands twice in the header; the first is read."
    assert main.main(["estimate", str(file)]) == 0
    assert said in capsys.readouterr().out
    assert records.read(file, ASKED, KNOWN).said == [said]


PIECES = st.sampled_from(
    [b",", b";", b"\t", b"\n", b"\r", b'"', b"\0", b"=1+1", b"-5", b"+14155552671", b"2026-11-02 10:00", b"\xff", b"\xc3\xa9", b"1e999", b"9" * 40]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([b"", HEAD, HEAD + ROW * 3]), st.lists(PIECES, max_size=50))
@example(HEAD, [b"\0"] * 50)
def test_whatever_the_records_are_they_are_read_or_refused(tmp_path: Path, start: bytes, pieces: list[bytes]) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(start + b"".join(pieces))
    try:
        told = records.read(path, ASKED, KNOWN)
    except (BrokenFile, NoSuchColumn) as refused:
        assert str(refused).isprintable()
        return
    assert told.begins <= told.ends
    assert all(told.begins <= other.at <= told.ends and other.caller in KNOWN for other in told.others)
    assert all(other.length is None or other.length >= 0 for other in told.others)


def test_a_branch_that_is_a_formula_is_text_in_a_spreadsheet(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        f"2026-11-{1 + place % 20:02d} 10:00,{name},+1415555{place:04d},60,20"
        for place in range(200)
        for name in ("=HYPERLINK(1)", "@SUM(1)", "-2+3", "+1-2", "\t=1")
    ]
    file.write_bytes(HEAD + "\n".join(random.Random(1).sample(rows, len(rows))).encode())
    assert main.main(["estimate", "--csv", str(file)]) == 0
    names = [row[0] for row in csv.reader(io.StringIO(capsys.readouterr().out))]
    assert len(names) >= 5
    assert not [name for name in names if name.startswith(("=", "+", "-", "@", "\t"))]


WHEN = [
    (["report", "containment", "--until", "0001-01-01"], "--until 0001-01-01: 1990 to 2100"),
    (["report", "containment", "--until", "9999-12-31"], "--until 9999-12-31: 1990 to 2100"),
    (["demo-data", "--until", "0001-01-01"], "--until 0001-01-01: 1990 to 2100"),
    (["demo-data", "--until", "9999-12-31"], "--until 9999-12-31: 1990 to 2100"),
]


@pytest.mark.parametrize(("command", "said"), WHEN)
def test_a_day_out_of_all_time_is_one_sentence(
    file: Path, capsys: pytest.CaptureFixture[str], command: list[str], said: str
) -> None:
    assert main.main(command) == 2
    assert capsys.readouterr().err == said + "\n"
