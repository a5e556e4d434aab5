"""`consumers import`: a row written once or replaced, bad rows said, the rest kept; on both databases."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.cli.main import main
from ivr.store import consumers
from ivr.store.database import opened_once
from tests.conftest import FLOWS

HEAD = "number,token,platform,external_id,enrolled,last_active\n"


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "type[Run]":
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SECRET_KEY", "k" * 32)
    monkeypatch.setenv("FLOWS_DIR", str(FLOWS))
    Run.file, Run.url = tmp_path / "consumers.csv", database_url
    return Run


class Run:
    file: Path
    url: str

    @classmethod
    def of(cls, content: str, *options: str) -> int:
        cls.file.write_text(content, encoding="utf-8", newline="")
        return main(["consumers", "import", str(cls.file), *(options or ("--brand", "acme"))])

    @classmethod
    def rows(cls) -> list[tuple[object, ...]]:
        with opened_once(cls.url) as database, database.reads() as tx:
            listed = "SELECT number, token, platform, external_id FROM consumers WHERE brand = 'acme' ORDER BY 1, 2"
            return [tuple(row) for row in tx.exec_driver_sql(listed)]


def test_again_is_the_same_and_newer_replaces(run: type[Run], capsys: pytest.CaptureFixture[str]) -> None:
    rows = "+14155552671,d1,ios,C-1,yes,2026-03-01\n+14155552671,d2,ios,C-1,yes,\n+14155552672,d3,android,C-2,no,\n"
    for _ in range(2):
        assert run.of(HEAD + rows) == 0
        assert "3 devices written, 0 dropped, 3 in the directory" in capsys.readouterr().out
    assert run.of(HEAD + "+14155552671,d1,android,C-9,yes,\n") == 0
    assert run.rows() == [
        ("+14155552671", "d1", "android", "C-9"),
        ("+14155552671", "d2", "ios", "C-1"),
        ("+14155552672", "d3", "android", "C-2"),
    ]


def test_of_two_rows_about_one_device_the_last_counts(run: type[Run]) -> None:
    assert run.of(HEAD + "+14155552671,d1,ios,C-1,yes,\n(415) 555-2671,d1,ios,C-2,yes,\n") == 0
    assert run.rows() == [("+14155552671", "d1", "ios", "C-2")]


def test_bad_rows_are_said_and_the_others_are_there(run: type[Run], capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "x'; DROP TABLE consumers; --"
    assert run.of(f'{HEAD}x,d1,,,,\n+14155552671,d\'1;%s:number,ios,"{hostile}",yes,\n+1415,d,,,,\n') == 1
    told = capsys.readouterr()
    assert "line 2: no phone number that can be read" in told.err
    assert "2 of 3 rows cannot be read and are left out." in told.err
    assert run.rows() == [
        ("+14155552671", "%s:number", "ios", hostile),
        ("+14155552671", "d'1", "ios", hostile),
    ]


def test_replace_drops_what_is_not_in_the_file(run: type[Run], capsys: pytest.CaptureFixture[str]) -> None:
    run.of(HEAD + "+14155552671,d1,,,,\n+14155552672,d2,,,,\n")
    assert run.of(HEAD + "+14155552672,d2,,,,\nx,,,,,\n", "--brand", "acme", "--replace") == 1
    assert "Nothing was dropped" in capsys.readouterr().err
    assert run.of(HEAD + "+14155552672,d2,,,,\n", "--brand", "acme", "--replace") == 0
    assert [row[0] for row in run.rows()] == ["+14155552672"]


def test_a_spreadsheet_s_file_with_the_same_number_in_many_ways(run: type[Run]) -> None:
    """Its mark at the beginning, its line ends, and one consumer written three times: one device, the last row's."""
    ways = ["+14155552671,d1,ios,C-1,yes,", "(415) 555-2671,d1,ios,C-2,yes,", '="14155552671",d1,ios,C-3,yes,']
    assert run.of("\ufeff" + "\r\n".join([HEAD.strip(), *ways, ""])) == 0
    assert run.rows() == [("+14155552671", "d1", "ios", "C-3")]


def test_a_drop_of_many_is_done_by_and_by(run: type[Run], capsys: pytest.CaptureFixture[str]) -> None:
    """A caller's yes waits for SQLite's lock meanwhile."""
    many = "".join(f"+14155551{number:03d},d{place},,,,\n" for number in range(60) for place in range(3))
    run.of(HEAD + many)
    with opened_once(run.url) as database:
        dropped: list[int] = []
        after: str | None = ""
        while after is not None:
            with database.writes() as tx:
                some, after = consumers.drop_older(tx, "acme", datetime.max.replace(tzinfo=UTC), after, 50)
            dropped.append(some)
    assert dropped == [51, 51, 51, 27]
    assert run.rows() == []
    assert run.of(HEAD + many + "+14155552671,d1,,,,\n") == 0
    assert run.of(HEAD + "+14155552671,d1,,,,\n", "--brand", "acme", "--replace") == 0
    assert "180 dropped, 1 in the directory" in capsys.readouterr().out


def test_whose_app_it_is_must_be_said(run: type[Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert run.of(HEAD, "--region", "US") == 2
    assert "--brand BRAND, one of: acme, corner-bakery" in capsys.readouterr().err
    assert run.of(HEAD, "--brand", "acme", "--region", "Mars") == 2


def test_what_is_no_list(run: type[Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert run.of("a,b\n1,2\n") == 1
    assert "no column is named number" in capsys.readouterr().err
