"""Files as people export them: encodings, separators, headers, quotes, and what is broken named by its line."""

import codecs
import csv
import datetime as dates
import io
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.traffic import columns, opened
from ivr.traffic.opened import BrokenFile
from ivr.traffic.page import page
from ivr.traffic.rows import Call, branch
from ivr.traffic.tally import count
from ivr.traffic.times import Clock
from tests.traffic.logs import UTC, estimated

PLAIN = """\
start_time,queue,from,duration,wait
2026-09-01 10:00:00,Reservas é,+14155552671,120,30
2026-09-01 11:00:00,Billing,+14155552672,60,10
"""
TWILIO = """\
Sid,DateCreated,DateUpdated,ParentCallSid,AccountSid,To,ToFormatted,From,FromFormatted,PhoneNumberSid,Status,StartTime,\
EndTime,Duration,Price,PriceUnit,Direction,AnsweredBy,Annotation,ApiVersion,ForwardedFrom,GroupSid,CallerName,Uri
CA1,"Tue, 01 Sep 2026 10:00:00 +0000",,,AC1,+14155550100,(415) 555-0100,+14155552671,(415) 555-2671,PN1,completed,\
"Tue, 01 Sep 2026 10:00:01 +0000","Tue, 01 Sep 2026 10:03:24 +0000",203,-0.01,USD,inbound,,,2010-04-01,,,,/x
CA2,"Tue, 01 Sep 2026 10:00:05 +0000",,CA1,AC1,+14155550199,(415) 555-0199,+14155552671,(415) 555-2671,,completed,\
"Tue, 01 Sep 2026 10:00:06 +0000","Tue, 01 Sep 2026 10:03:20 +0000",194,-0.01,USD,outbound-dial,,,2010-04-01,,,,/x
CA3,"Tue, 01 Sep 2026 12:00:00 +0000",,,AC1,+14155550101,(415) 555-0101,+266696687,,PN2,no-answer,\
"Tue, 01 Sep 2026 12:00:01 +0000","Tue, 01 Sep 2026 12:00:01 +0000",0,,USD,inbound,,,2010-04-01,,,,/x
"""
CONSOLE = """\
"Call Sid","Direction","From","To","Status","Start Time","Duration"
"CA1","Incoming","+14155552671","+14155550100","Completed","03:00:01 PDT 2026-09-01","203"
"CA2","Outgoing Dial","+14155552671","+14155550199","Completed","03:00:06 PDT 2026-09-01","194"
"""


@pytest.mark.parametrize(
    ("encoding", "named", "mark"),
    [
        ("utf-8", "utf-8", b""),
        ("utf-8", "utf-8-sig", codecs.BOM_UTF8),
        ("utf-16-le", "utf-16", codecs.BOM_UTF16_LE),
        ("utf-16-be", "utf-16", codecs.BOM_UTF16_BE),
        ("utf-16-le", "utf-16-le", b""),
        ("utf-16-be", "utf-16-be", b""),
        ("cp1252", "cp1252", b""),
        ("latin-1", "cp1252", b""),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, named: str, mark: bytes) -> None:
    one = estimated(tmp_path, mark + PLAIN.encode(encoding))
    assert one.encoding == named
    assert {branch.name for branch in one.traffic.branches} == {"Reservas é", "Billing"}


def test_bytes_that_cp1252_has_not_are_latin_1(tmp_path: Path) -> None:
    assert estimated(tmp_path, PLAIN.encode("latin-1").replace(b"Billing", b"Bill\x81ng")).encoding == "latin-1"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_separators_and_ends_of_lines(tmp_path: Path, separator: str, ending: str) -> None:
    one = estimated(tmp_path, PLAIN.replace(",", separator).replace("\n", ending))
    assert (one.separator, one.traffic.total.calls, one.reading.broken) == (separator, 2, 0)


def test_a_spreadsheet_s_own_separator_line_and_titles_before_the_table(tmp_path: Path) -> None:
    one = estimated(tmp_path, "sep=;\nReport of September\n\n" + PLAIN.replace(",", ";"))
    assert one.traffic.total.calls == 2


@pytest.mark.parametrize(
    "header",
    [
        "Start Time,Queue,From,Duration,Wait",
        "START_TIME,QUEUE NAME,ANI,TALK TIME,QUEUE TIME",
        "call start,Department,Caller ID,call-duration,Wait Time (s)",
        "timestamp,DNIS,Phone Number,Length,WaitSeconds",
    ],
)
def test_headers_in_other_words_and_cases(tmp_path: Path, header: str) -> None:
    content = PLAIN.replace("start_time,queue,from,duration,wait", header)
    one = estimated(tmp_path, content, mapped={"wait": "Wait Time (s)"} if "(s)" in header else {})
    assert set(one.columns.names) == {"time", "branch", "caller", "length", "wait"}
    assert sorted(one.traffic.total.waits) == [10, 30]


def test_a_column_is_mapped(tmp_path: Path) -> None:
    content = PLAIN.replace("wait", "q_secs").replace("queue", "x")
    one = estimated(tmp_path, content, mapped=columns.parsed_map(["wait=Q_SECS", "branch=x"]))
    assert one.columns.names["wait"] == "q_secs"
    assert len(one.traffic.branches) == 2


def test_what_is_mapped_wrongly_is_said_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(
        columns.NoSuchColumn, match="no such column; there are: start_time, queue, from, duration, wait"
    ):
        estimated(tmp_path, PLAIN, mapped={"wait": "nothing"})
    for item in ("wait", "colour=x", "wait="):
        with pytest.raises(columns.NoSuchColumn, match="roles are: time, branch"):
            columns.parsed_map([item])


def test_units_are_told_by_the_header(tmp_path: Path) -> None:
    one = estimated(tmp_path, PLAIN.replace("duration,wait", "durationMs,wait_minutes"))
    assert sorted(one.traffic.total.lengths) == [pytest.approx(0.06), pytest.approx(0.12)]
    assert sorted(one.traffic.total.waits) == [600, 1800]


@pytest.mark.parametrize("header", ["Date,Time", "Time,Date", "Call Date,Start Time"])
def test_day_and_time_of_day_apart(tmp_path: Path, header: str) -> None:
    cells = ["10:00:00", "2026-09-01"] if header == "Time,Date" else ["2026-09-01", "10:00:00"]
    one = estimated(tmp_path, f"{header},queue\n{','.join(cells)},Billing\n")
    assert one.traffic.total.hours[24 + 10] == 1  # the first of September 2026 is a Tuesday


def test_the_end_of_a_call_tells_its_length(tmp_path: Path) -> None:
    one = estimated(
        tmp_path, "start time,end time,queue\n2026-09-01 10:00,2026-09-01 10:02,Billing\n2026-09-01 10:00,,Billing\n"
    )
    assert list(one.traffic.total.lengths) == [120]


def test_twilio_s_rest_export_as_it_is(tmp_path: Path) -> None:
    one = estimated(tmp_path, TWILIO)
    assert {branch.name: branch.calls for branch in one.traffic.branches} == {
        "+1(415) 555-0100": 1,
        "+1(415) 555-0101": 1,
    }
    assert (one.reading.outgoing, one.reading.broken, one.total.abandoned) == (1, 0, None)
    assert (one.traffic.total.known, sorted(one.traffic.total.lengths)) == (1, [0, 203])
    assert any("Twilio's log knows of no waiting" in note for note in one.notes)
    assert any("number that was dialled" in note for note in one.notes)


def test_pages_put_together_repeat_their_header(tmp_path: Path) -> None:
    more = TWILIO.replace("\nCA", "\nCB")
    one = estimated(tmp_path, TWILIO + more)
    assert (one.traffic.total.calls, one.reading.broken, one.reading.repeated) == (4, 0, 0)
    assert estimated(tmp_path, TWILIO + TWILIO).reading.repeated == 2


def test_twilio_s_console_export_as_it_is(tmp_path: Path) -> None:
    one = estimated(tmp_path, CONSOLE)
    assert (one.traffic.total.calls, one.reading.outgoing, one.traffic.total.hours[24 + 10]) == (1, 1, 1)


def test_a_call_that_is_in_the_file_twice_counts_once(tmp_path: Path) -> None:
    one = estimated(tmp_path, "call id,start,queue\nc1,2026-09-01,A\nc1,2026-09-01,A\n,2026-09-01,A\n,2026-09-01,A\n")
    assert (one.traffic.total.calls, one.reading.repeated) == (3, 1)


def test_quotes_hold_separators_and_lines(tmp_path: Path) -> None:
    content = (
        'start,queue,notes\n2026-09-01,"Billing, first","line one\nline ""two"""\n2026-09-01,Billing,x\nnever,B,y\n'
    )
    one = estimated(tmp_path, content)
    assert {branch.name for branch in one.traffic.branches} == {"Billing, first", "Billing"}
    assert one.reading.named == ["line 5: 'never': no time that can be read"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("soon,Billing,+1,60,10", "'soon': no time that can be read"),
        ("+14155552671,Billing,a,60,10", "'+1(415) ***-**71': no time that can be read"),
        ("4155552671000,Billing,a,60,10", "'***00': a time before 1990 or after 2100"),
        ("2026-09-01,Billing", "2 cells, the header has 5"),
        ("2026-09-01,Billing,a,60,10,7", "6 cells, the header has 5"),
        ("2026-09-01,Billing,a,-60,10", "'-60': no length that can be read"),
        ("2026-09-01,Billing,a,60,=1+1", "'=1+1': no length that can be read"),
        ("2026-09-01,Billing,a,90000,10", "'90000': longer than a day"),
        ("2126-09-01,Billing,a,60,10", "'2126-09-01': a time before 1990 or after 2100"),
        ('2026-09-01,"Bil"ling,a,60,10', "quotes that do not fit (',' expected after '\"')"),
        ("2026-09-\x0001,Billing,a,60,10", "'2026-09-\\x0001': no time that can be read"),
        ("1000000000,rows,follow,now,!", "'now': no length that can be read"),
    ],
)
def test_a_broken_row_is_named_by_its_line_and_left_out(tmp_path: Path, row: str, why: str) -> None:
    one = estimated(tmp_path, PLAIN + row + "\n" + PLAIN.splitlines()[1] + "\n\n")
    assert one.reading.named == [f"line 4: {why}"]
    assert (one.traffic.total.calls, one.reading.read, one.reading.broken) == (3, 4, 1)


def test_the_first_broken_rows_are_named_and_all_are_counted(tmp_path: Path) -> None:
    one = estimated(tmp_path, PLAIN + PLAIN.split("\n", 1)[1] * 20 + "x,x,x,x,x\n" * 15)
    assert (len(one.reading.named), one.reading.broken, one.traffic.total.calls) == (10, 15, 42)


def test_a_quote_that_is_never_closed_costs_its_row_alone(tmp_path: Path) -> None:
    rows = PLAIN.split("\n", 1)[1]
    for more in ("", rows * 100):
        one = estimated(tmp_path, PLAIN + '2026-09-01,"Billing,a,60,10\n' + rows + more)
        assert one.reading.named == ["line 4: a quote that is never closed"]
        assert one.traffic.total.calls == one.reading.read - 1 == 4 + more.count("\n")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "nothing is in it"),
        (b"\n \n", "nothing is in it"),
        (b"\0" * 9999, "nothing is in it"),
        (b"PK\x03\x04sheet", "a workbook or an archive"),
        (b"\x1f\x8b\x08packed", "a workbook or an archive"),
        (b"%PDF-1.7", "a workbook or an archive"),
        (b"hello world\nthis is a letter\n", "no column is known to hold the time of a call"),
        (b"a,b\n" * 50, "--map time=COLUMN"),
        (b"start,queue\n", "no row follows the header"),
        (b"start,queue\nx,Billing\ny,Billing\n", "none of its 2 rows is an incoming call; line 2: 'x'"),
        (b"start,queue\n2026-09-01,A\nx,A\nx,A\n", "2 of 3 rows cannot be read, so the rest would mislead"),
        (b"start,queue\n" + b"x" * 1_100_000 + b"\n", "line 2 is longer than 1,000,000 characters"),
        (codecs.BOM_UTF8 + b"start,queue\n2026-09-01,\xff\xff\n", "not utf-8-sig after line 0"),
        (codecs.BOM_UTF16_LE + "start,queue\n".encode("utf-16-le") + b"\x00\xd8", "not utf-16 after line"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(BrokenFile, match=why) as raised:
        estimated(tmp_path, content)
    assert "\n" not in str(raised.value)


def test_a_hopeless_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match=r"none of its 10,002 rows is an incoming call"):
        estimated(tmp_path, PLAIN.splitlines()[0] + '\n2026-09-01,"Billing' * 30_000)


def test_nothing_of_a_header_is_obeyed_by_a_terminal(tmp_path: Path) -> None:
    hostile = PLAIN.replace("queue", "\x1b[2Jqueue\x07").replace("wait", "\x1b]0;pwned\x07")
    shown = "".join(page(estimated(tmp_path, hostile, mapped={"branch": "[2Jqueue"})))
    assert "\x1b" not in shown
    with pytest.raises(columns.NoSuchColumn) as raised:
        estimated(tmp_path, hostile, mapped={"wait": "x"})
    assert str(raised.value).isprintable()
    with pytest.raises(BrokenFile) as refused:
        estimated(tmp_path, "\x1b[2J\n")
    assert str(refused.value).isprintable()


def test_more_branches_than_a_brand_has_are_another_column(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match=r"More than 1,000 branches; .*--map branch=COLUMN"):
        estimated(tmp_path, "start,queue\n" + "".join(f"2026-09-01,call {number}\n" for number in range(1002)))


def test_branches_are_named_fit_for_a_terminal() -> None:
    assert branch("  Bil\x1b[31mling\0\r\n ") == "Bil [31mling"
    assert branch("") == branch("\0") == "(none)"
    assert branch("+1 415-555-0100") == branch("+14155550100") == "+1(415) 555-0100"
    assert branch("x" * 100) == "x" * 60


def test_many_branches_are_cut_short_on_the_page(tmp_path: Path) -> None:
    one = estimated(tmp_path, "start,queue\n" + "".join(f"2026-09-01,call {number}\n" for number in range(100)))
    lines = list(page(one))
    assert "    and 70 more, all in --csv and --json" in lines


def test_which_dates_are_meant_is_told_by_the_file_or_said(tmp_path: Path) -> None:
    told = estimated(tmp_path, "start,queue\n3/4/2026 10:00,A\n25/4/2026 10:00,A\n")
    assert told.traffic.days == 23
    assert not any("month first" in note for note in told.notes)
    assert any("month first" in note for note in estimated(tmp_path, "start,queue\n3/4/2026 10:00,A\n").notes)
    said = estimated(tmp_path, "start,queue\n3/4/2026 10:00,A\n", day_first=True)
    assert not any("month first" in note for note in said.notes)
    assert said.traffic.total.hours[4 * 24 + 10] == 1  # the third of April 2026 is a Friday


ALPHABET = st.sampled_from(
    [*",;\t|\"\n\r\0\x1b =+-@'é€", "2026-09-01", "start", "queue", "60", "Billing", "\ufeff", "漢"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(["", "start,queue\n", PLAIN]),
    pieces=st.lists(ALPHABET, max_size=60),
    encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]),
)
def test_whatever_is_in_a_file_it_is_read_or_refused(
    tmp_path: Path, start: str, pieces: list[str], encoding: str
) -> None:
    try:
        one = estimated(tmp_path, (start + "".join(pieces)).encode(encoding, "replace"))
    except (BrokenFile, columns.NoSuchColumn) as refused:
        assert "\n" not in str(refused)
        return
    assert (
        one.traffic.total.calls + one.reading.broken + one.reading.outgoing + one.reading.repeated == one.reading.read
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_whatever_bytes_a_file_has_it_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    try:
        estimated(tmp_path, b"start,queue\n2026-09-01,A\n" + content)
    except BrokenFile:
        return


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BrokenFile, match="save it in a file first"):
        opened.encoding_of(tmp_path / "pipe")
    with pytest.raises(BrokenFile, match="save it in a file first"):
        opened.encoding_of(Path("/dev/zero"))


STYLES: list[tuple[str, str, str, Callable[[datetime], str], Callable[[str], str], Callable[[int], str]]] = [
    ("utf-8", ",", "start,queue,from,duration", lambda at: at.isoformat(), lambda who: who, str),
    ("utf-16", "\t", "StartTime,Queue,ANI,Talk Time", lambda at: f"{at:%m/%d/%Y %I:%M:%S %p}",
     lambda who: f"({who[2:5]}) {who[5:8]}-{who[8:]}", lambda length: f"{length // 60}:{length % 60:02d}"),
    ("cp1252", ";", "CALL START,SKILL,CALLER,LENGTH", lambda at: f"{at:%d.%m.%Y %H:%M:%S}",
     lambda who: f"1-{who[2:5]}-{who[5:8]}-{who[8:]}", lambda length: f"00:{length // 60:02d}:{length % 60:02d}"),
    ("latin-1", "|", "timestamp,department,cli,aht", lambda at: f"{at:%a, %d %b %Y %H:%M:%S} +0000",
     lambda who: f'="{who}"', lambda length: f"{length // 60}m {length % 60}s"),
]  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    style=st.sampled_from(STYLES),
    calls=st.lists(
        st.builds(
            Call,
            st.integers(1_780_000_000, 1_783_000_000),
            st.sampled_from(["Billing", "Große", 'a "quoted", one']),
            st.integers(2_000_000, 2_000_003).map(lambda line: f"+1415{line}"),
            st.integers(0, 900).map(float),
            st.none(),
            st.none(),
        ),
        min_size=1,
        max_size=30,
    ),
)
def test_the_same_calls_in_every_style_are_counted_alike(tmp_path: Path, style: Any, calls: list[Call]) -> None:
    encoding, separator, header, time, who, length = style
    text = io.StringIO()
    rows = csv.writer(text, delimiter=separator)
    rows.writerow(header.split(","))
    for call in calls:
        moment = datetime.fromtimestamp(call.time, dates.UTC).replace(tzinfo=None)
        rows.writerow([time(moment), call.branch, who(call.caller), length(int(call.length or 0))])
    one = estimated(tmp_path, text.getvalue().encode(encoding), day_first=False)
    assert one.reading.named == []
    assert one.traffic == count(calls, Clock(UTC).slot)


def test_how_far_it_is_is_told(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(PLAIN * 5000)
    heard: list[int] = []
    assert sum(1 for _ in opened.lines(file, "utf-8", heard.append)) == 15_000
    assert heard == sorted(heard)
    assert heard[-1] == file.stat().st_size
    assert len(heard) == 4
