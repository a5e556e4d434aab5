"""Rows of texts move forward, each for the MessageSid that is its own."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from ivr.store import messages, outgoing, tables
from ivr.store.database import Database, opened
from ivr.store.outgoing import Outgoing

NOW = datetime(2026, 3, 2, 14, 22, tzinfo=UTC)
TEXT = Outgoing("f" * 32, "greeting", "acme", "+14155552671", "+14155550111", "Hello")
OURS, ANOTHER = "SM" + "1" * 32, "SM" + "2" * 32


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(opened(database_url, 2)) as here:
        yield here


@pytest.mark.parametrize(("known_as", "state", "told_as", "moves"), [
    (None, "sent", OURS, True),
    (OURS, "delivered", OURS, True),
    (OURS, "delivered", None, True),
    (OURS, "delivered", ANOTHER, False),
    (OURS, "failed", ANOTHER, False),
    (OURS, "sent", OURS, False),
])  # fmt: skip
def test_a_status_of_another_text_moves_nothing(
    database: Database, known_as: str | None, state: str, told_as: str | None, moves: bool
) -> None:
    with database.writes() as tx:
        outgoing.write_at_once(tx, TEXT, NOW, may=True)
        if known_as:
            assert messages.move(tx, TEXT.id, "sent", NOW, known_as)
        code = 30005 if state == "failed" else None
        assert messages.move(tx, TEXT.id, state, NOW, told_as, code) is moves
        kept = tables.messages.c
        row = tx.execute(select(kept.state, kept.provider_id, kept.error_code)).one()
        before = "sent" if known_as else "sending"
        assert tuple(row) == (state if moves else before, known_as or told_as, code if moves else None)
