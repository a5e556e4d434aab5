"""A database of its own for a test, on either engine."""

import atexit
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from ivr.store import schema
from ivr.store.database import opened_once
from ivr.store.tables import metadata

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://127.0.0.1:5432/test")
KINDS = ("sqlite", "postgresql")


@contextmanager
def new_database(kind: str, directory: Path, upgraded: bool = True) -> Iterator[str]:
    """The DATABASE_URL of an empty database, with the current schema unless not; it is gone afterwards."""
    if kind == "sqlite":
        file = directory / f"{uuid.uuid4().hex}.db"
        if upgraded:
            file.write_bytes(_made())
        yield f"sqlite:///{file}"
        return
    name = f"ivr_test_{uuid.uuid4().hex[:12]}"
    with _server() as server:
        template = f' TEMPLATE "{_template()}"' if upgraded else ""
        server.execute(f'CREATE DATABASE "{name}"{template}')
    try:
        yield SERVER.rsplit("/", 1)[0] + f"/{name}"
    finally:
        _drop(name)


def emptied(url: str) -> str:
    """The same, with nothing in it any more: sooner there than a new one."""
    with opened_once(url) as database, database.writes() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())
    return url


def sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


@cache
def _made() -> bytes:
    """An empty SQLite database with the current schema, made once in a process: the way up takes longer than most tests."""
    with TemporaryDirectory() as directory:
        file = Path(directory) / "made.db"
        _upgrade(f"sqlite:///{file}")
        assert not file.with_name("made.db-wal").exists(), "all of it is in the one file"
        return file.read_bytes()


@cache
def _template() -> str:
    """The same on PostgreSQL: a database that others are copies of; it is gone when the process ends."""
    name = f"ivr_test_made_{uuid.uuid4().hex[:12]}"
    with _server() as server:
        server.execute(f'CREATE DATABASE "{name}"')
    atexit.register(_drop, name)
    _upgrade(sqlalchemy_url(SERVER.rsplit("/", 1)[0] + f"/{name}"))
    return name


def _drop(name: str) -> None:
    with _server() as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _upgrade(url: str) -> None:
    with opened_once(url) as database:
        schema.upgrade(database)


def _server() -> psycopg.Connection[tuple[object, ...]]:
    """The PostgreSQL server's own database; the test is skipped when there is none, unless CI says it must be."""
    try:
        return psycopg.connect(SERVER, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        if os.environ.get("REQUIRE_POSTGRESQL"):
            raise
        pytest.skip(f"no PostgreSQL at {SERVER}; set TEST_DATABASE_URL to one that may create databases")
