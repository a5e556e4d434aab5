"""What an attempt writes down, whoever it went to: sent, later, unclear."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ivr import log
from ivr.clients.failure import SendError
from ivr.store import outbox
from ivr.store.database import Database
from ivr.store.outbox import Text

# refused: for good. unable: for good, and to every other number too. later: the other side is known not to have it, it
# is tried again. unclear: it may have it.
Outcome = Literal["sent", "refused", "unable", "later", "unclear"]


@dataclass(frozen=True, slots=True)
class Ledger:
    database: Database
    now: Callable[[], datetime]
    chance: random.Random

    def record(self, text: Text, write: Callable[[Connection], object]) -> None:
        """What is known stays true when it cannot be written: the caller hears it; the lease makes the row unclear."""
        try:
            with self.database.writes() as tx:
                write(tx)
        except SQLAlchemyError as error:
            log.error("text_not_recorded", error, message=text.id)

    def unclear(self, text: Text, error: SendError) -> Outcome:
        log.warning("text_unclear", **_fields(text, error))
        self.record(text, lambda tx: outbox.unclear(tx, text, self.now()))
        return "unclear"

    def later(self, text: Text, error: SendError) -> Outcome:
        wait = self.wait(text, error)
        log.warning("text_later", seconds=round(wait.total_seconds()), **_fields(text, error))
        self.record(text, lambda tx: outbox.again(tx, text, self.now(), wait))
        return "later"

    def refused(self, text: Text, error: SendError, write: Callable[[Connection], object]) -> Outcome:
        log.warning("text_refused", **_fields(text, error))
        self.record(text, write)
        return "refused"

    def wait(self, text: Text, error: SendError) -> timedelta:
        """Twice as long each time, up to five minutes, scattered; at least what the other side asked for."""
        backed_off = min(300.0, 2.0 ** min(text.attempts, 10)) * self.chance.uniform(0.5, 1.0)
        return timedelta(seconds=max(backed_off, min(error.retry_after or 0.0, 600.0)))


def _fields(text: Text, error: SendError) -> dict[str, object]:
    return {
        "call": text.call_sid,
        "message": text.id,
        "kind": text.kind,
        "conversation": text.conversation_id,
        "reason": error.reason,
        "code": error.code,
    }
