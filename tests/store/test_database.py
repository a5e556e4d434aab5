"""The database: who writes waits for its turn, and no update is lost."""

import multiprocessing
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as TooLate

from ivr.store.calls import Call, Journal
from ivr.store.database import Database, opened, opened_once
from ivr.store.folding import fold, keep_folded
from ivr.store.line import Line
from ivr.store.tables import calls
from ivr.store.turn import Turn
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
    """SQLite's quick writes have one of them."""
    database = opened(database_url, 3 if database_url.startswith("sqlite") else 2)
    with database.reads(), database.reads(), pytest.raises(Exception, match="QueuePool limit"), database.reads():
        pass
    database.close()


def test_who_waits_to_write_holds_no_connection(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, closing(opened(url, 3)) as database, ThreadPoolExecutor(4) as threads:
        began = threading.Barrier(5)

        def write() -> None:
            began.wait()
            with database.writes() as tx:
                tx.execute(text("DELETE FROM calls"))

        with database.writes():
            waiting = [threads.submit(write) for _ in range(4)]
            began.wait()
            for _ in range(200):  # a page for people is read meanwhile
                with database.reads() as tx:
                    assert tx.execute(text("SELECT 1")).scalar() == 1
            assert not any(one.done() for one in waiting)
        for write_of_one in waiting:
            write_of_one.result()


def test_a_turn_to_write_that_does_not_come_is_an_error_of_the_database(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, closing(opened(url, 3)) as database, ThreadPoolExecutor(1) as threads:

        def write() -> None:
            with database.writes():
                pass

        with database.writes(), pytest.raises(SQLAlchemyError, match="not free to be written to"):
            threads.submit(write).result()
        write()


def test_another_process_that_does_not_let_go_is_an_error_of_the_database(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, closing(opened(url, 2)) as ours, opened_once(url) as theirs:
        locked = pytest.raises(SQLAlchemyError, match="database is locked")
        with theirs.writes(), ours.answering(), locked, ours.writes():
            pass
        with ours.writes():
            pass


@pytest.mark.parametrize("begin", [Database.reads, Database.writes])
def test_a_connection_that_broke_is_an_error_of_the_database_and_not_used_again(
    tmp_path: Path, begin: Callable[[Database], AbstractContextManager[Connection]]
) -> None:
    with new_database("sqlite", tmp_path) as url, closing(opened(url, 2)) as database:
        with database.reads() as tx:
            broken = tx.connection.driver_connection
        assert broken is not None
        broken.close()
        with pytest.raises(SQLAlchemyError, match="closed database"), begin(database):
            pass
        with begin(database) as tx:
            assert tx.execute(text("SELECT 1")).scalar() == 1


def test_a_file_that_is_no_database_any_more_is_an_error_of_the_database_until_it_is_one(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, closing(opened(url, 2)) as database:
        with database.writes() as tx:
            tx.execute(text("DELETE FROM calls"))
        good = {file: file.read_bytes() for file in tmp_path.iterdir()}
        for file, content in good.items():
            with file.open("r+b") as part:
                part.write(b"j" * len(content))
        with pytest.raises(SQLAlchemyError, match="not a database"), database.writes():
            pass
        for file, content in good.items():
            file.unlink(missing_ok=True)
            file.write_bytes(content)
        with database.writes() as tx:
            assert tx.execute(text("DELETE FROM calls")).rowcount == 0


@pytest.mark.parametrize("who", ["a webhook", "somebody else"])
def test_whoever_is_no_worker_goes_before_those_who_write_behind(tmp_path: Path, who: str) -> None:
    """A webhook, the record of a caller's text beside it, the API: somebody waits for each of them."""
    with new_database("sqlite", tmp_path) as url, closing(opened(url, 3)) as database, ThreadPoolExecutor(8) as threads:
        began, order = threading.Barrier(7), list[str]()

        def behind() -> None:
            database.work_behind()
            began.wait()
            with database.writes():
                order.append("behind")

        def in_front() -> None:
            with database.answering() if who == "a webhook" else nullcontext():
                began.wait()  # a webhook had no turn, as the one below holds it
                with database.writes():
                    order.append("in front")

        with database.writes():
            waiting = [threads.submit(behind) for _ in range(5)] + [threads.submit(in_front)]
            began.wait()
            for _ in range(300):
                with database.reads() as tx:
                    tx.execute(text("SELECT 1"))
        for each in waiting:
            each.result()
    assert order.index("in front") <= 1


def test_the_turn_is_one_thread_s_and_never_lost() -> None:
    """However many give up while they wait, in front or behind, whoever comes next has it."""
    turn, inside, had = Turn(), list[int](), list[int]()

    def tries(thread: int) -> None:
        chance = random.Random(thread)
        if thread % 2:
            turn.work_behind()
        for _ in range(300):
            with suppress(TooLate), turn.writing(time.monotonic() + chance.choice((0.0, 0.0001, 0.001, 0.05))):
                inside.append(thread)
                assert inside == [thread]
                had.append(inside.pop())

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(tries, thread) for thread in range(8)]:
            done.result()
    assert set(had) == set(range(8))
    for _ in range(2):
        with turn.writing(time.monotonic()):
            turn.work_behind()


def test_who_waits_for_the_network_keeps_nobody_from_writing(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, closing(opened(url, 3)) as database, ThreadPoolExecutor(1) as threads:

        def write() -> str:
            with database.writes():
                return "written"

        with database.answering():
            with database.writes():  # in the turn it has
                pass
            writing = threads.submit(write)
            with pytest.raises(TimeoutError):
                writing.result(timeout=0.05)
            database.step_aside()
            assert writing.result(timeout=5) == "written"
            with database.writes():  # takes it again
                pass
        assert threads.submit(write).result(timeout=5) == "written"


def write_calls(url: str, process: int) -> None:
    with closing(opened(url, 2)) as database, ThreadPoolExecutor(8) as threads:
        journal = Journal.of(database)
        sids = [f"CA{process}-{number}" for number in range(300)]
        for written in [threads.submit(journal.came_in, replace(CALL, call_sid=sid), "billing", NOW) for sid in sids]:
            written.result()


def test_what_threads_of_four_processes_write_at_once_is_all_there(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url:
        with opened_once(url) as database:
            Journal.of(database).came_in(CALL, None, NOW)
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=write_calls, args=(url, number)) for number in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 4
        with opened_once(url) as database, database.reads() as tx:
            assert tx.execute(text("SELECT count(*) FROM calls JOIN deflections USING (call_sid)")).scalar() == 1200


def test_a_write_that_fails_fails_alone(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, opened_once(url) as database, ThreadPoolExecutor(8) as threads:
        journal = Journal.of(database)
        bad = replace(CALL, brand=None)  # type: ignore[arg-type]
        written = [
            threads.submit(journal.came_in, replace(bad if number % 2 else CALL, call_sid=f"CA{number}"), None, NOW)
            for number in range(40)
        ]
        failed = [number for number, each in enumerate(written) if each.exception()]
        with database.reads() as tx:
            there = tx.execute(text("SELECT count(*) FROM calls")).scalar()
    assert (failed, there) == (list(range(1, 40, 2)), 20)


def test_all_who_wait_for_a_locked_database_are_told_together(tmp_path: Path) -> None:
    """Not the last of twenty after twenty times its patience: a caller is listening."""
    with new_database("sqlite", tmp_path) as url, opened_once(url) as database:
        line = Line(connect_to(url), patience=0.2)
        with database.writes(), ThreadPoolExecutor(20) as threads:
            began = time.monotonic()
            waiting = [threads.submit(line.run, ["DELETE FROM calls"], {}) for _ in range(20)]
            errors = [str(each.exception()) for each in waiting]
            took = time.monotonic() - began
        assert line.run(["DELETE FROM calls"], {}) == [0]
        line.close()
    assert errors == ["database is locked"] * 20
    assert took < 2


def test_a_log_that_has_grown_is_folded_to_its_end(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, opened_once(url) as database:
        journal = Journal.of(database)
        for number in range(1000):
            journal.came_in(replace(CALL, call_sid=f"CA{number}"), "billing", NOW)
        grown = wal(url).stat().st_size
        fold(connect_to(url)(), to_its_end=1000)
        journal.came_in(replace(CALL, call_sid="CA after"), "billing", NOW)
        assert grown > 4096 * 1000
        assert wal(url).stat().st_size == grown  # it begins anew from its beginning
        with database.reads() as tx:
            assert tx.execute(text("SELECT count(*) FROM calls")).scalar() == 1001


def test_what_was_written_is_folded_beside_the_calls_until_stopped(tmp_path: Path) -> None:
    with new_database("sqlite", tmp_path) as url, opened_once(url) as database:
        stop = threading.Event()
        folding = threading.Thread(target=keep_folded, args=(database, stop))
        folding.start()
        Journal.of(database).came_in(CALL, "billing", NOW)
        give_up = time.monotonic() + 20
        while not calls_without_the_log(url) and time.monotonic() < give_up:
            pass
        stop.set()
        folding.join(5)
        assert calls_without_the_log(url) == 1
        assert not folding.is_alive()


def calls_without_the_log(url: str) -> int:
    file = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM calls").fetchone()[0])


def connect_to(url: str) -> Callable[[], sqlite3.Connection]:
    file = url.removeprefix("sqlite:///")
    return lambda: sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=0)


def wal(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///") + "-wal")
