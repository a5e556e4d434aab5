"""A brand's own database: asked read-only with a bound number, and never waited for, whatever it does."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ivr.clients.directory import AT_ONCE, SECONDS, BadDirectory, BrandDirectory
from ivr.clients.failure import SendError
from ivr.store.database import opened_once
from tests.clients.listener import listening

NUMBER = "+14155552671"
SQL = "SELECT token, '50%' AS platform FROM app_users WHERE phone = :number"
HOSTILE = [
    "' OR '1'='1",
    "'; DROP TABLE app_users; --",
    "+14155552671' UNION SELECT password, '' FROM secrets --",
    "%(number)s",
    ":number",
    "\\'; SELECT 1",
    "%",
]


@pytest.fixture
def theirs(database_url: str) -> Iterator[str]:
    """The URL of a brand's database of either kind."""
    with opened_once(database_url) as database, database.writes() as tx:
        tx.execute(text("CREATE TABLE app_users (phone varchar(40), token varchar(40))"))
        tx.execute(text("INSERT INTO app_users VALUES ('+14155552671', 'd1'), ('+14155552672', 'd2')"))
    yield database_url


def test_the_number_is_bound(theirs: str) -> None:
    directory = BrandDirectory(theirs, SQL, 5.0)
    assert directory.rows(NUMBER) == [{"token": "d1", "platform": "50%"}]
    assert directory.rows("+14155550000") == []
    directory.close()


@pytest.mark.parametrize("number", HOSTILE)
def test_nothing_that_is_bound_is_sql(theirs: str, number: str) -> None:
    directory = BrandDirectory(theirs, SQL, 5.0)
    assert directory.rows(number) == []
    assert len(directory.rows(NUMBER)) == 1
    directory.close()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM app_users WHERE phone = :number RETURNING token",
        "INSERT INTO app_users VALUES (:number, 'x')",
        "UPDATE app_users SET token = :number",
        "CREATE TABLE x AS SELECT :number",
        "DROP TABLE app_users",
    ],
)
def test_nothing_is_written_even_where_check_was_passed_by(theirs: str, sql: str) -> None:
    directory = BrandDirectory(theirs, sql, 5.0)
    with pytest.raises(SendError):
        directory.rows(NUMBER)
    directory.close()
    good = BrandDirectory(theirs, SQL, 5.0)
    assert len(good.rows(NUMBER)) == 1
    good.close()


def slow(url: str) -> str:
    if url.startswith("sqlite"):
        count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS token FROM n"
        return f"{count} WHERE :number <> ''"
    return "SELECT pg_sleep(30)::text AS token WHERE :number <> ''"


def test_one_that_hangs_is_not_waited_for_and_its_threads_come_back(theirs: str) -> None:
    directory = BrandDirectory(theirs, slow(theirs))
    for _ in range(2 * AT_ONCE):
        began = time.monotonic()
        with pytest.raises(SendError):
            directory.rows(NUMBER)
        assert time.monotonic() - began < SECONDS + 0.7
    ended = time.monotonic() + 5
    while any(thread.name == "directory" for thread in threading.enumerate()) and time.monotonic() < ended:
        threading.Event().wait(0.02)
    assert not any(thread.name == "directory" for thread in threading.enumerate())
    directory.close()


def test_many_callers_of_one_that_hangs_are_let_go_at_once(theirs: str) -> None:
    directory = BrandDirectory(theirs, slow(theirs))
    waited: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        with pytest.raises(SendError):
            directory.rows(NUMBER)
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask) for _ in range(5 * AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(waited) == 5 * AT_ONCE
    assert sorted(waited)[3 * AT_ONCE] < SECONDS
    directory.close()


def test_a_server_that_takes_connections_and_says_nothing() -> None:
    with listening(b"") as silent:
        directory = BrandDirectory(f"postgresql://127.0.0.1:{silent.port}/app", SQL)
        began = time.monotonic()
        with pytest.raises(SendError):
            directory.rows(NUMBER)
        assert time.monotonic() - began < SECONDS + 0.7
        directory.close()


@pytest.mark.parametrize(
    "url",
    ["postgresql://127.0.0.1:1/app", "postgresql://nobody:secret@127.0.0.1:5432/there-is-none", "sqlite:////none/x"],
)
def test_one_that_is_not_there(url: str) -> None:
    directory = BrandDirectory(url, SQL, 5.0)
    with pytest.raises(SendError) as raised:
        directory.rows(NUMBER)
    assert "secret" not in raised.value.reason
    directory.close()


def test_a_file_is_never_made_nor_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    with pytest.raises(SendError):
        BrandDirectory(f"sqlite:///{file}", SQL).rows(NUMBER)
    assert not file.exists()
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE app_users (phone, token)")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    with pytest.raises(SendError):
        BrandDirectory(f"sqlite:///{file}", SQL).rows(NUMBER)
    assert time.monotonic() - began < SECONDS + 0.7
    other.close()


def test_at_most_ten_rows(theirs: str) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i AS token FROM n"
    directory = BrandDirectory(theirs, f"{many} WHERE :number <> ''", 5.0)
    assert len(directory.rows(NUMBER)) == 10
    directory.close()


@pytest.mark.parametrize("url", ["", "mysql://u:secret@h/db", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_directory(url: str) -> None:
    with pytest.raises(BadDirectory) as raised:
        BrandDirectory(url, SQL)
    assert "secret" not in str(raised.value)
