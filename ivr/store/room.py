"""How many connections the database server has room for."""

from sqlalchemy import Connection, text

# A role's or a database's own limit is often the lower one on a shared server; -1 is none.
_ROOM = """
SELECT LEAST(
    current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - COALESCE(current_setting('reserved_connections', true)::int, 0),
    (SELECT NULLIF(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
    (SELECT NULLIF(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
)
"""


def room(connection: Connection) -> int:
    """The most connections that our role may have open at once on this PostgreSQL server."""
    return int(connection.execute(text(_ROOM)).scalar_one())
