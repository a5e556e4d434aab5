"""Ten million calls and what came of them, row by row: made inside the database, which takes it minutes, not hours."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import psycopg

from tests.bench.figures import Figure

CALLS = 10_000_000
DAYS = 400
TABLES = ("calls", "deflections", "messages", "conversations")
WAIT = 500  # of the newest answers: due, or unclear

# A call is its number `i`, in the order of time; what is random about it are remainders of its products with primes.
_BRAND = "CASE WHEN i * 7 % 10 < 6 THEN 'acme' WHEN i * 7 % 10 < 9 THEN 'corner-bakery' ELSE 'third' END"
_CALLER = "'+1415' || (2000000 + i * 7919 % 3000017)"
_DIALLED = "CASE i * 31 % 7 % 2 WHEN 0 THEN '+14155550100' ELSE '+14155550101' END"
_KIND = "i * 48271 % 1009"  # what became of it, below
_BRANCH = "CASE i * 13 % 8 WHEN 0 THEN 'claims' WHEN 1 THEN 'delivery' WHEN 2 THEN 'bookings' ELSE 'billing' END"
_OFFERED, _ACCEPTED, _REFUSED, _FAILED, _DEAD, _REPLIED = (
    800,
    250,
    5,
    15,
    20,
    130,
)  # of 1009, each within the one before

_ROWS = {
    "calls": f"""
INSERT INTO calls (call_sid, brand, entry, caller, dialled, started_at)
SELECT 'CA' || {{id:1}}, {_BRAND}, 'menu', {_CALLER}, {_DIALLED}, {{at:0}} FROM {{calls}}""",
    "deflections": f"""
INSERT INTO deflections (id, call_sid, branch, brand, caller, offered_at, accepted_at, accepted_key, number, refused)
SELECT i + 1, 'CA' || {{id:1}}, {_BRANCH}, {_BRAND}, {_CALLER}, {{at:20}},
    CASE WHEN {_KIND} < {_ACCEPTED} THEN {{at:30}} END, CASE WHEN {_KIND} < {_ACCEPTED} THEN '1' END,
    CASE WHEN {_KIND} < {_ACCEPTED} THEN {_CALLER} END,
    CASE WHEN {_KIND} < 2 THEN 'no_number' WHEN {_KIND} < {_REFUSED} THEN 'region' END
FROM {{calls}} WHERE {_KIND} < {_OFFERED}""",
    "greetings": f"""
INSERT INTO messages (id, kind, state, brand, deflection_id, call_sid, number, sender, body, provider_id, error_code,
    created_at, updated_at, attempts, channel)
SELECT {{id:2}}, 'greeting', CASE WHEN {_KIND} < {_FAILED} THEN 'failed' WHEN {_KIND} < {_DEAD} THEN 'dead'
        WHEN {_KIND} < 25 THEN 'sent' ELSE 'delivered' END,
    {_BRAND}, i + 1, 'CA' || {{id:1}}, {_CALLER}, '+14155550111',
    'Thank you for choosing to connect by text. Please type your issue and we will be with you shortly.',
    'SM' || {{id:3}}, CASE WHEN {_KIND} < 10 THEN 30005 WHEN {_KIND} < {_FAILED} THEN 30003 END,
    {{at:31}}, {{at:35}}, 1, CASE i * 17 % 5 WHEN 0 THEN 'whatsapp' ELSE 'sms' END
FROM {{calls}} WHERE {_KIND} >= {_REFUSED} AND {_KIND} < {_ACCEPTED}""",
    "conversations": f"""
INSERT INTO conversations (id, brand, desk, number, sender, state, branch, deflection_id, desk_id, started_at, opened_at,
    answered_at, closed_at)
SELECT {{id:4}}, {_BRAND}, 'liveperson', {_CALLER}, '+14155550111', CASE WHEN i > {{last}} THEN 'open' ELSE 'closed' END,
    {_BRANCH}, i + 1, {{id:5}}, {{at:120}}, {{at:121}}, {{at:300}}, CASE WHEN i <= {{last}} THEN {{at:1500}} END
FROM {{calls}} WHERE {_KIND} >= {_DEAD} AND {_KIND} < {_REPLIED}""",
    "texts in": f"""
INSERT INTO messages (id, kind, state, towards, brand, number, sender, body, provider_id, created_at, updated_at,
    attempts, conversation_id)
SELECT {{id:6}}, 'inbound', CASE WHEN {_KIND} = {_DEAD} AND i % 20 = 0 THEN 'dead' ELSE 'delivered' END, 'desk', {_BRAND},
    {_CALLER}, '+14155550111', 'My bill is wrong', 'SM' || {{id:7}}, {{at:120}}, {{at:122}}, 1, {{id:4}}
FROM {{calls}} WHERE {_KIND} >= {_DEAD} AND {_KIND} < {_REPLIED}""",
    "answers": f"""
INSERT INTO messages (id, kind, state, brand, number, sender, body, provider_id, created_at, updated_at, attempts,
    conversation_id, desk_event, next_try, give_up_at)
SELECT {{id:8}}, 'answer', CASE WHEN i <= {{last}} THEN 'delivered' WHEN i % 3 = 0 THEN 'unclear' ELSE 'due' END, {_BRAND},
    {_CALLER}, '+14155550111', 'Hello, I am looking at it.', CASE WHEN i <= {{last}} THEN 'SM' || {{id:9}} END,
    {{at:300}}, {{at:304}}, 1, {{id:4}}, {{id:5}} || ':1',
    CASE WHEN i > {{last}} THEN {{at:{30 * 86_400}}} END, CASE WHEN i > {{last}} THEN {{at:{60 * 86_400}}} END
FROM {{calls}} WHERE {_KIND} >= {_DEAD} AND {_KIND} < {_REPLIED}""",
}


class Words(Protocol):
    """What the databases say differently."""

    @property
    def calls(self) -> str: ...

    def id(self, salt: int) -> str: ...

    def at(self, seconds: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Sqlite:
    begin: datetime

    @property
    def calls(self) -> str:
        return (
            f"(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {CALLS - 1}) SELECT i FROM n)"
        )

    def id(self, salt: int) -> str:
        return f"printf('%08x%08x%08x%08x', {', '.join(_parts(salt))})"

    def at(self, seconds: int) -> str:
        moment = f"{self.begin.timestamp() + seconds} + i * {_step()}"
        return f"strftime('%Y-%m-%d %H:%M:%f000', {moment}, 'unixepoch')"


@dataclass(frozen=True, slots=True)
class Postgresql:
    begin: datetime

    @property
    def calls(self) -> str:
        return f"generate_series(0::bigint, {CALLS - 1}) AS n(i)"

    def id(self, salt: int) -> str:
        return " || ".join(f"lpad(to_hex({part}), 8, '0')" for part in _parts(salt))

    def at(self, seconds: int) -> str:
        return f"TIMESTAMPTZ '{self.begin + timedelta(seconds=seconds)}' + make_interval(secs => i * {_step()})"


def _parts(salt: int) -> Sequence[str]:
    """An id's four: it lies anywhere among the others, as theirs do who give ids."""
    return f"(i + {salt}) * 2654435761 % 4294967291", f"(i + {salt}) * 40503 % 65521", str(salt), "i"


def _step() -> float:
    return DAYS * 86_400 / CALLS


def statements(words: Words) -> Iterator[tuple[str, str]]:
    # The answers that wait are those of the newest calls.
    last = CALLS - WAIT * 1009 // (_REPLIED - _DEAD)
    for name, statement in _ROWS.items():
        statement = statement.replace("{calls}", words.calls).replace("{last}", str(last))
        while "{" in statement:
            begin, end = statement.index("{"), statement.index("}")
            kind, number = statement[begin + 1 : end].split(":")
            told = words.id(int(number)) if kind == "id" else words.at(int(number))
            statement = f"{statement[:begin]}{told}{statement[end + 1 :]}"
        yield name, statement


def in_sqlite(file: Path, begin: datetime) -> Iterator[Figure]:
    """Indexes come after the rows, but for those that are in the tables themselves."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        # Half a database that a crash leaves is thrown away.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "threads=2"):
            connection.execute(f"PRAGMA {pragma}")
        listed = f"tbl_name IN {TABLES} AND type = 'index' AND sql IS NOT NULL"
        indexes = connection.execute(f"SELECT name, sql FROM sqlite_master WHERE {listed}").fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        for name, statement in statements(Sqlite(begin)):
            began = time.monotonic()
            many = connection.execute(statement).rowcount
            yield _laid("SQLite", name, many, began)
        began = time.monotonic()
        for _, index in indexes:
            connection.execute(index)
        connection.execute("PRAGMA analysis_limit=1000")
        connection.execute("ANALYZE")
        yield _indexed("SQLite", file.stat().st_size, began)
    finally:
        connection.close()


def in_postgresql(url: str, begin: datetime) -> Iterator[Figure]:
    """As above, and the keys too: both ways, whoever refers to these tables."""
    listed = f"ANY ('{{{', '.join(TABLES)}}}'::regclass[])"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET synchronous_commit = off")
        constraints = connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            f"WHERE conrelid = {listed} AND contype IN ('p', 'u') OR contype = 'f' AND (conrelid = {listed} "
            f"OR confrelid = {listed}) ORDER BY contype = 'f'"
        ).fetchall()
        for table, name, _ in reversed(constraints):
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
        indexes = connection.execute(
            f"SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = {listed}"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}".encode())
        for name, statement in statements(Postgresql(begin)):
            began = time.monotonic()
            many = connection.execute(statement.encode()).rowcount
            yield _laid("PostgreSQL", name, many, began)
        began = time.monotonic()
        for table, name, constraint in constraints:
            connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint}".encode())
        for _, index in indexes:
            connection.execute(index.encode())
        connection.execute("VACUUM ANALYZE")
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        yield _indexed("PostgreSQL", size[0] if size else 0, began)


def _laid(kind: str, name: str, many: int, began: float) -> Figure:
    return Figure(f"{kind}: {many:,} {name} written", f"{time.monotonic() - began:.0f} s")


def _indexed(kind: str, size: int, began: float) -> Figure:
    return Figure(f"{kind}: indexes, {size / 1e9:.1f} GB in all", f"{time.monotonic() - began:.0f} s")
