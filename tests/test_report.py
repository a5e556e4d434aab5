"""`report`: the numbers of a recount, in the terminal, as CSV that no spreadsheet runs, and as JSON."""

import csv
import io
import json
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.cli.main import main
from ivr.funnel.asked import BadQuestion, asked
from ivr.runtime import utc_now
from ivr.sandbox.town import ROOT, SECRET_KEY
from ivr.spreadsheet import as_csv
from ivr.store.database import opened_once
from tests import traffic_rows

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def rows(database_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A database with calls of the last hours; what a recount says of all of them."""
    monkeypatch.setenv("DATABASE_URL", database_url.replace("+psycopg", ""))
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("FLOWS_DIR", str(ROOT / "flows"))
    with opened_once(database_url) as database, database.writes() as tx:
        traffic_rows.write_calls(tx, random.Random(7), utc_now() - timedelta(hours=5), 40)
        for number in range(20):
            traffic_rows.happen(tx, random.Random(number), utc_now(), f"late-{number}")
        counted, _ = traffic_rows.recounted(tx)
    totals: dict[str, int] = {}
    for measured in counted.values():
        for name, many in measured.items():
            totals[name] = totals.get(name, 0) + many
    return totals


def test_funnel_as_json_is_a_recount(rows: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "funnel", "--json", "--by", "day"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: told["total"][name] for name in rows} == rows
    assert sum(line["calls"] for line in told["lines"]) == rows["calls"] > 30
    assert sum(each["failed"] for each in told["failed"]) == rows["failed"] > 0
    rate = told["total"]["rates"]["accepted"]
    assert rate["low"] < rate["middle"] == rows["accepted"] / rows["offered"] < rate["high"]
    assert rate["method"] == "Wilson"


def test_funnel_as_csv_by_each(rows: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    since = ["--since", f"{utc_now() - timedelta(days=2):%Y-%m-%d}"]
    for by in ("brand", "branch", "language", "channel", "number", "hour", "week", "month"):
        assert main(["report", "funnel", "--csv", "--by", by, *since]) == 0
        lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert lines
        for name, many in rows.items():
            assert sum(int(line[name] or 0) for line in lines) == many, (by, name)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b"])
def test_no_cell_is_a_formula(first: str) -> None:
    (row,) = csv.reader(io.StringIO(as_csv([[f"{first}SUM(A1)", "+14155550100", None, 0]])))
    assert row == [f"'{first}SUM(A1)".replace("\r", "\n"), "+14155550100", "", "0"], "a number to call is none"


def test_no_cell_ends_its_row() -> None:
    assert len(list(csv.reader(io.StringIO(as_csv([["a\r=SUM(A1)", "b\r\n=1", "c\n=2"]]), newline="")))) == 1


def test_funnel_in_the_terminal(rows: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "funnel", "--brand", "acme"]) == 0
    out = capsys.readouterr().out
    assert "billing" in out
    assert "brand acme" in out
    assert "America/New_York" in out
    assert "failed: region: The number is of a country" in out


def test_rebuild_counts_anew(rows: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "rebuild"]) == 0
    assert "hours are counted anew" in capsys.readouterr().err
    assert main(["report", "rebuild", "--since", "yesterday"]) == 2
    assert "write it like 2026-03-02" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"by": "colour"}, "none of brand"),
        ({"since": "2026-03-05", "until": "2026-03-02"}, "after"),
        ({"since": "soon"}, "no day"),
        ({"since": "0001-01-01"}, "out of reach"),
        ({"since": "2020-01-01"}, "400 days"),
        ({"since": "2026-01-01", "by": "hour"}, "31 days"),
        ({"span": "a while"}, "none of today"),
    ],
)
def test_what_cannot_be_asked(given: dict[str, str], says: str) -> None:
    with pytest.raises(BadQuestion, match=says):
        asked(given, ZoneInfo("UTC"), NOON)


def test_days_are_the_brand_s() -> None:
    one = asked({"span": "yesterday"}, ZoneInfo("America/New_York"), datetime(2026, 3, 9, 3, 0, tzinfo=UTC))
    assert (str(one.first), str(one.last)) == ("2026-03-07", "2026-03-07")
    assert one.until - one.since == timedelta(hours=24)
    change = asked({"since": "2026-03-08", "until": "2026-03-08"}, ZoneInfo("America/New_York"), NOON)
    assert change.until - change.since == timedelta(hours=23), "the clock goes forward"
