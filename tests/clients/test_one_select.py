"""What `check` lets through as a brand's SQL: one SELECT that binds the number and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import one_select

GOOD = [
    "SELECT token FROM users WHERE phone = :number",
    "select token from users where phone = :number;",
    "WITH a AS (SELECT 1) SELECT token FROM users WHERE phone = :number -- and so on",
    "SELECT u.token, '50%' AS x FROM users u WHERE u.phone = :number::text OR u.alt = :number",
    'SELECT token, "update", created_at FROM users WHERE phone IN (SELECT :number)',
    "SELECT token FROM users WHERE phone = replace(:number, '+', '') AND note = 'a; DROP TABLE x :other'",
]
BAD = [
    ("", "no SELECT"),
    ("-- SELECT :number", "no SELECT"),
    ("UPDATE users SET a = 1 WHERE phone = :number", "no SELECT"),
    ("EXPLAIN SELECT :number", "no SELECT"),
    ("SELECT 1", "does not ask"),
    ("SELECT ':number'", "does not ask"),
    ("SELECT 1 /* :number */", "does not ask"),
    ("SELECT :number; DROP TABLE users", "more than one"),
    ("SELECT :number; SELECT 1", "more than one"),
    ("WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x WHERE phone = :number", "DELETE"),
    ("SELECT * INTO copy FROM users WHERE phone = :number", "INTO"),
    ("SELECT token FROM users WHERE phone = :number FOR UPDATE", "UPDATE"),
    ("SELECT token FROM users WHERE phone = :number AND name = :name", ":name"),
    ("SELECT token FROM users WHERE phone = ?", "binds"),
    ("SELECT token FROM users WHERE phone = $1", "binds"),
    ("SELECT token FROM users WHERE phone = %s", "binds"),
    ("SELECT :number" + " " * 10_000, "characters"),
]


@pytest.mark.parametrize("sql", GOOD)
def test_one_select(sql: str) -> None:
    assert one_select.fault(sql) is None


@pytest.mark.parametrize(("sql", "said"), BAD)
def test_anything_else(sql: str, said: str) -> None:
    assert said in (one_select.fault(sql) or "")


def test_as_psycopg_wants_it() -> None:
    sql = "SELECT a, '50% :number' FROM t WHERE b = :number::text AND c LIKE 'x%' ;"
    assert one_select.for_psycopg(sql) == (
        "SELECT a, '50%% :number' FROM t WHERE b = %(number)s::text AND c LIKE 'x%%'"
    )


@settings(max_examples=200)
@given(st.text(max_size=200) | st.from_regex(r"(SELECT|WITH|;|--|'|\"|\$\$|:number|/\*| ){1,20}", fullmatch=True))
def test_whatever_is_written_is_judged(sql: str) -> None:
    ready = one_select.for_psycopg(sql)
    assert one_select.fault(sql) or "%(number)s" in ready
