"""The database: who writes waits for its turn, and no update is lost."""

import multiprocessing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from ivr.store.calls import Call, Journal
from ivr.store.database import Database, opened, opened_once
from ivr.store.tables import calls
from tests.databases import new_database

NOW = datetime(2026, 3, 2, 14, 22, 30, 123456, tzinfo=UTC)
CALL = Call("CA1", "acme", "menu", "+14155552671", "+14155550100")


@pytest.fixture
def database(database_url: str) -> object:
    with opened_once(database_url) as here:
        yield here


def count_up(url: str, times: int) -> None:
    database = opened(url, 2)
    for _ in range(times):
        with database.writes() as tx:
            (row,) = tx.execute(text("SELECT entry FROM calls WHERE call_sid = 'CA1'")).one()
            tx.execute(update(calls).values(entry=str(int(row) + 1)))
    database.close()


def test_four_processes_that_read_and_then_write_lose_no_update(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url:
        with opened_once(url) as database:
            Journal.of(database).came_in(Call("CA1", "acme", "0", "x", "y"), None, NOW)
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=count_up, args=(url, 300)) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 4
        with opened_once(url) as database, database.reads() as tx:
            assert tx.execute(text("SELECT entry FROM calls")).scalar() == "1200"


def test_the_journal_writes_once(database: Database) -> None:
    journal = Journal.of(database)
    journal.came_in(CALL, "billing", NOW)
    journal.came_in(Call("CA1", "acme", "x", "x", "x"), "billing", NOW + timedelta(days=1))
    journal.offered(CALL, "billing", NOW + timedelta(days=1))
    journal.offered(CALL, "bookings", NOW)
    with database.reads() as tx:
        assert tx.execute(select(calls.c.brand, calls.c.entry, calls.c.started_at)).all() == [("acme", "menu", NOW)]
        rows = tx.execute(text("SELECT branch FROM deflections ORDER BY id")).scalars().all()
    assert rows == ["billing", "bookings"]


def test_a_call_that_comes_back_at_an_offer_has_it_recorded(database: Database) -> None:
    journal = Journal.of(database)
    journal.came_in(CALL, None, NOW)
    journal.came_in(CALL, "billing", NOW)
    journal.came_in(Call("CA2", "acme", "billing", "x", "y"), "billing", NOW)
    with database.reads() as tx:
        rows = tx.execute(text("SELECT call_sid, branch FROM deflections ORDER BY id")).all()
    assert rows == [("CA1", "billing"), ("CA2", "billing")]


def test_moments_are_utc_whatever_zone_they_were_given_in(database: Database) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-5)))
    Journal.of(database).came_in(CALL, None, elsewhere)
    with database.reads() as tx:
        (moment,) = tx.execute(select(calls.c.started_at)).one()
        assert (moment, moment.tzinfo) == (NOW, UTC)
        assert tx.execute(select(calls.c.call_sid).where(calls.c.started_at <= elsewhere)).scalar() == "CA1"


def test_a_broken_connection_is_not_used_again(database: Database) -> None:
    journal = Journal.of(database)
    with database.writes() as tx:
        tx.exec_driver_sql("ALTER TABLE calls RENAME TO away")
    with pytest.raises(Exception, match="calls"):
        journal.came_in(CALL, None, NOW)
    with database.writes() as tx:
        tx.exec_driver_sql("ALTER TABLE away RENAME TO calls")
    journal.came_in(CALL, None, NOW)


def test_sqlite_is_set_up_for_several_processes(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, opened_once(url) as database, database.reads() as tx:
        pragmas = {
            name: tx.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 0}


def test_connections_are_bounded(database_url: str) -> None:
    database = opened(database_url, 2)
    with database.reads(), database.reads(), pytest.raises(Exception, match="QueuePool limit"), database.reads():
        pass
    database.close()
