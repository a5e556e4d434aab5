"""Numbers that callers key in, when two requests of one call are answered at the same moment."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from ivr.store import calls, entries, outgoing
from ivr.store.calls import Call
from ivr.store.database import Database, opened
from ivr.store.outgoing import Outgoing

NOW = datetime(2026, 3, 2, 14, 22, tzinfo=UTC)
CALL = Call("CA1", "acme", "billing", "anonymous", "+14155550100")
FIRST, SECOND = "+14155552672", "+14155552673"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(opened(database_url, 3)) as here:
        yield here


def test_a_number_keyed_in_while_the_text_is_written_is_not_kept(database: Database) -> None:
    with database.writes() as tx:
        calls.accept(tx, CALL, "billing", "1", NOW)
        assert entries.enter(tx, CALL, "billing", FIRST)
    with ThreadPoolExecutor(1) as pool:
        with database.writes() as tx:
            deflection = entries.confirm(tx, CALL, "billing", FIRST, "call CA1")
            assert deflection
            late = pool.submit(entered, database, SECOND)
            _until_somebody_waits(database)
            greeting = Outgoing("f" * 32, "greeting", "acme", FIRST, "+14155550111", "Hello", deflection=deflection)
            outgoing.write_at_once(tx, greeting, NOW, may=True)
        assert late.result() is False
    with database.reads() as tx:
        assert tx.execute(text("SELECT number, entered FROM deflections")).all() == [(FIRST, None)]


def entered(database: Database, number: str) -> bool:
    with database.writes() as tx:
        return entries.enter(tx, CALL, "billing", number)


def _until_somebody_waits(database: Database) -> None:
    """On PostgreSQL, for the row; SQLite's writers wait before they begin."""
    waiting = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database OR database IS NULL "
        "WHERE NOT granted AND datname = current_database()"
    )
    give_up = time.monotonic() + 10
    while database.dialect == "postgresql":
        with database.reads() as tx:
            if tx.execute(waiting).scalar():
                return
        assert time.monotonic() < give_up, "nobody waits"
