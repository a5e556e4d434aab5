"""A PostgreSQL database of the bench's own, on the server that the tests use too."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from ivr.sandbox.town import ROOT, SECRET_KEY


@contextmanager
def own_database(beside: str = "") -> Iterator[str | None]:
    """The URL of a new database with this release's schema, dropped when the block ends. None: no server is there.

    `beside`: a further one of the same process's has another name.
    """
    server = os.environ.get("TEST_DATABASE_URL", "postgresql://127.0.0.1:5432/test")
    name = f"bench_{os.getpid()}{beside}"
    try:
        connection = psycopg.connect(server, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        yield None
        return
    with connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = urlsplit(server)._replace(path=f"/{name}").geturl()
            _upgrade(url)
            yield url
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _upgrade(url: str) -> None:
    command = [sys.executable, "-m", "ivr", "db", "upgrade"]
    environment = {**os.environ, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
