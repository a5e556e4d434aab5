"""The schema's version: what the database has, what this release needs, and the way up."""

from functools import cache
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from ivr.store.database import Database

State = Literal["current", "older", "newer"]

_LOCK = 7_231_001  # any number, the same in every release: one migration at a time


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@cache
def _known() -> tuple[str | None, frozenset[str]]:
    scripts = ScriptDirectory.from_config(_config())
    return scripts.get_current_head(), frozenset(script.revision for script in scripts.walk_revisions())


def upgrade(database: Database) -> None:
    """Bring the database to this release's schema, in one transaction and one process at a time."""
    config = _config()
    with database.writes() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if state(connection) == "newer":  # a later release was here; an older one leaves its schema alone
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def state(connection: Connection) -> State:
    """ "older": not yet upgraded. "newer": a later release was here, which keeps what this one needs."""
    head, known = _known()
    if not inspect(connection).has_table("alembic_version"):
        return "older"
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version == head:
        return "current"
    return "older" if version is None or version in known else "newer"
