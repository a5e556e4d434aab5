"""Rows of the embedded directory: written by the hundred, read by number; and which apps are gone."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, func, select

from ivr.store.consumer_tables import consumers, gone_tokens
from ivr.store.database import insert
from ivr.store.tables import stored

MOST_DEVICES = 10  # of one consumer that are looked at
GONE_KEPT = timedelta(days=90)


class Consumer(NamedTuple):
    """One device of one consumer. The order is that of the columns."""

    brand: str
    number: str  # E.164
    token: str
    platform: str
    external_id: str
    enrolled: bool
    last_active: datetime | None


_COLUMNS = (*Consumer._fields, "imported_at")
_CHANGED = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])
_CONFLICT = f"ON CONFLICT (brand, number, token) DO UPDATE SET {_CHANGED}"
_INTO = f"INSERT INTO consumers ({', '.join(_COLUMNS)})"
# Core would take most of the minute that a million rows may take: one statement for a batch, by the driver itself. On
# PostgreSQL by COPY, which costs this process a quarter of what arrays as parameters do.
_SQLITE = f"{_INTO} VALUES ({', '.join('?' * len(_COLUMNS))}) {_CONFLICT}"
_INCOMING = "CREATE TEMPORARY TABLE incoming_consumers (LIKE consumers) ON COMMIT DROP"
_COPY = f"COPY incoming_consumers ({', '.join(_COLUMNS)}) FROM STDIN"
_POSTGRESQL = f"{_INTO} SELECT {', '.join(_COLUMNS)} FROM incoming_consumers ORDER BY brand, number, token {_CONFLICT}"


def write(tx: Connection, batch: Sequence[Consumer], now: datetime) -> int:
    """Insert or replace; of rows about the same device the last one counts. How many devices that were."""
    last = {row[:3]: row for row in batch}
    if not last:
        return 0
    dialect = tx.dialect.name
    cursor: Any = tx.connection.cursor()
    at = stored(now, dialect)
    rows = [(*row[:6], None if row[6] is None else stored(row[6], dialect), at) for row in last.values()]
    if dialect == "sqlite":
        cursor.executemany(_SQLITE, rows)
    else:
        cursor.execute(_INCOMING)
        with cursor.copy(_COPY) as copied:
            for row in rows:
                copied.write_row(row)
        cursor.execute(_POSTGRESQL)
        cursor.execute("DROP TABLE incoming_consumers")
    cursor.close()
    return len(rows)


def drop_older(tx: Connection, brand: str, imported_before: datetime, after: str, most: int) -> tuple[int, str | None]:
    """What a newer file did not have any more, of the next numbers beyond `after`: of `most` devices, and what is left
    of the last one's consumer. How many went, and the last number that was looked at; None at the end."""
    these = and_(consumers.c.brand == brand, consumers.c.number > after)
    end = select(consumers.c.number).where(these).order_by(consumers.c.number).offset(most - 1).limit(1)
    upto = tx.execute(end).scalar()
    these = these if upto is None else and_(these, consumers.c.number <= upto)
    return tx.execute(delete(consumers).where(these, consumers.c.imported_at < imported_before)).rowcount, upto


def count(tx: Connection, brand: str) -> int:
    return tx.execute(select(func.count()).select_from(consumers).where(consumers.c.brand == brand)).scalar_one()


def of_number(tx: Connection, brand: str, number: str) -> list[Mapping[str, Any]]:
    """A consumer's devices, the one that was used last first."""
    listed = (
        select(consumers)
        .where(consumers.c.brand == brand, consumers.c.number == number)
        .order_by(consumers.c.last_active.desc().nulls_last(), consumers.c.token)
        .limit(MOST_DEVICES)
    )
    return [dict(row) for row in tx.execute(listed).mappings()]


def mark_gone(tx: Connection, token: str, now: datetime) -> None:
    """The push service says that the app is not on that device any more."""
    written = insert(tx.dialect.name, gone_tokens).values(digest=digest(token), gone_at=now)
    tx.execute(written.on_conflict_do_update(index_elements=["digest"], set_={"gone_at": now}))


def gone(tx: Connection, tokens: Collection[str]) -> frozenset[str]:
    """Which of these are known to be gone."""
    of = {digest(token): token for token in tokens if token}
    if not of:
        return frozenset()
    found = tx.execute(select(gone_tokens.c.digest).where(gone_tokens.c.digest.in_(list(of))))
    return frozenset(of[row[0]] for row in found)


def forget_gone(tx: Connection, now: datetime) -> None:
    tx.execute(delete(gone_tokens).where(gone_tokens.c.gone_at <= now - GONE_KEPT))


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
