"""What is remembered about numbers: of which senders and channels it holds, and for how long."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ivr.store import known
from ivr.store.database import Database, opened

NOW = datetime(2026, 3, 2, 14, 22, tzinfo=UTC)
NUMBER, SENDER, OTHER = "+14155552671", "+14155550111", "+14155550112"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(opened(database_url, 2)) as here:
        yield here


@pytest.mark.parametrize(("learned_of", "asked_by", "of_every_sender", "why"), [
    (known.EVERY_SENDER, SENDER, True, "not_mobile"),
    (known.EVERY_SENDER, SENDER, False, None),  # WhatsApp, which landlines may have
    (SENDER, SENDER, True, "not_mobile"),
    (SENDER, SENDER, False, "not_mobile"),
    (OTHER, SENDER, True, None),
])  # fmt: skip
def test_what_was_learned_holds_for_its_senders(
    database: Database, learned_of: str, asked_by: str, of_every_sender: bool, why: str | None
) -> None:
    with database.writes() as tx:
        known.learn_number(tx, NUMBER, learned_of, "not_mobile", 21614, NOW)
        assert known.cannot_be_texted(tx, NUMBER, asked_by, NOW, of_every_sender) == why
        assert known.cannot_be_texted(tx, "+14155552672", asked_by, NOW, of_every_sender) is None


def test_what_was_learned_is_forgotten_in_its_time(database: Database) -> None:
    with database.writes() as tx:
        known.learn_number(tx, NUMBER, SENDER, "unreachable", 30003, NOW)
        known.learn_e164(tx, SENDER, NOW)
        hour, month = timedelta(hours=1), timedelta(days=30)
        moment = timedelta(microseconds=1)
        assert known.cannot_be_texted(tx, NUMBER, SENDER, NOW + hour - moment) == "unreachable"
        assert known.cannot_be_texted(tx, NUMBER, SENDER, NOW + hour) is None
        assert known.wants_e164(tx, SENDER, NOW + month - moment)
        assert not known.wants_e164(tx, SENDER, NOW + month)
