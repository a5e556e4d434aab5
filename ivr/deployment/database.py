"""Is it set up right: the database, its schema, and room for every process's connections."""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ivr.config import Settings
from ivr.deployment.report import Line, cannot_tell, good, wrong
from ivr.store import schema
from ivr.store.database import opened_once
from ivr.store.room import room


def database(settings: Settings) -> Iterator[Line]:
    if settings.sqlite and not (file := Path(make_url(settings.database_url).database or "")).exists():
        yield _not_yet(file)
        return
    try:
        with opened_once(settings.database_url) as opened, opened.reads() as tx:
            state = schema.state(tx)
            connections = 0 if settings.sqlite else room(tx)
    except (SQLAlchemyError, OSError) as error:
        yield wrong("database", f"cannot be opened ({type(error).__name__})", "check DATABASE_URL and that it runs")
        return
    yield _schema(settings, state)
    if not settings.sqlite:
        yield _room(settings, connections)


def _not_yet(file: Path) -> Line:
    """SQLite is made by the server; looking at it must not make it."""
    above = next(place for place in file.absolute().parents if place.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        return wrong("database", f"{file} cannot be made", f"make {above} a directory that the server may write to")
    return good("database", f"{file} is not there yet; the server makes it when it starts")


def _schema(settings: Settings, state: schema.State) -> Line:
    if state == "current":
        return good("database", "reachable, its schema is this release's")
    if state == "newer":
        return good("database", "reachable; a later release was here, and this one works with its schema")
    if settings.sqlite:
        return good("database", "reachable; its schema is older, the server upgrades it when it starts")
    return wrong("database", "its schema is older than this release", "python -m ivr db upgrade")


def _room(settings: Settings, connections: int) -> Line:
    processes = settings.web_concurrency + (settings.worker == "separate")
    need = settings.database_connections * processes
    found = (
        f"{processes} process(es) x DATABASE_CONNECTIONS={settings.database_connections} = {need}, "
        f"and the server has room for {connections}"
    )
    fits = max(1, connections // processes)
    if need > connections:
        mend = f"set DATABASE_CONNECTIONS={fits}, lower WEB_CONCURRENCY, or take a larger plan"
        return wrong("connections", found, mend)
    if 2 * need > connections:
        more = f"{found}; not enough for the old and the new processes of a deploy at once, or a second machine"
        return cannot_tell("connections", more, f"set DATABASE_CONNECTIONS={max(1, connections // (2 * processes))}")
    return good("connections", f"{found}; every further machine needs {need} more")
