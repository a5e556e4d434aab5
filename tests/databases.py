"""A database of its own for a test, on either engine."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from ivr.store import schema
from ivr.store.database import opened_once

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://127.0.0.1:5432/test")
KINDS = ("sqlite", "postgresql")


@contextmanager
def new_database(kind: str, directory: Path, upgraded: bool = True) -> Iterator[str]:
    """The DATABASE_URL of an empty database, with the current schema unless not; it is gone afterwards."""
    if kind == "sqlite":
        url = f"sqlite:///{directory / f'{uuid.uuid4().hex}.db'}"
        if upgraded:
            _upgrade(url)
        yield url
        return
    name = f"ivr_test_{uuid.uuid4().hex[:12]}"
    with _server() as server:
        server.execute(f'CREATE DATABASE "{name}"')
    url = SERVER.rsplit("/", 1)[0] + f"/{name}"
    try:
        if upgraded:
            _upgrade(sqlalchemy_url(url))
        yield url
    finally:
        with _server() as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


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
