"""To another IVR: what became of a deflection that it asked for, signed, at the URL that it gave."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ivr import log
from ivr.clients.failure import SendError
from ivr.clients.webhook import WebhookDesk
from ivr.delivery.ledger import Ledger, Outcome
from ivr.store import api_events, messages, outbox
from ivr.store.outbox import Text


@dataclass(frozen=True, slots=True)
class Hooks:
    ledger: Ledger
    client: WebhookDesk
    secrets: Mapping[str, str] = field(repr=False)  # the beginning of a key's SHA-256 -> all of it

    def attempt(self, text: Text) -> Outcome:
        """Tell one change. Nothing is unclear: a repeat has the same id, and may come twice without harm."""
        try:
            self._tell(text)
        except SendError as error:
            return self._failed(text, error)
        except Exception as error:
            log.error("event_attempt_failed", error, message=text.id)
            return self.ledger.later(text, SendError("a fault of ours"))
        self.ledger.record(text, lambda tx: messages.at_desk(tx, text.id, None, self.ledger.now()))
        log.event("event_told", message=text.id, deflection=text.number)
        return "sent"

    def settle(self, text: Text) -> None:
        """Its process died meanwhile: told again."""
        self.ledger.record(text, lambda tx: outbox.again(tx, text, self.ledger.now(), timedelta()))

    def _tell(self, text: Text) -> None:
        with self.ledger.database.reads() as tx:
            whose = api_events.told(tx, text.number)
        if whose is None or not whose["webhook"]:
            raise SendError("The deflection of this event is gone", permanent=True)
        secret = self.secrets.get(whose["api_key"])
        if secret is None:
            raise SendError("The key that asked for this is not in API_KEYS any more", permanent=True)
        self.client.post(whose["webhook"], secret, _payload(text, whose), self.client.deadline())

    def _failed(self, text: Text, error: SendError) -> Outcome:
        if not error.permanent:
            return self.ledger.later(text, error)
        now = self.ledger.now()
        return self.ledger.refused(text, error, lambda tx: outbox.dead(tx, text, error.code, now))


def _payload(text: Text, whose: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same in every repeat."""
    deflection = {"id": whose["id"], "brand": whose["brand"], "branch": whose["branch"]}
    deflection |= {"call_id": whose["call_sid"], "number": whose["number"]}
    return {"id": text.id, **json.loads(text.body), "deflection": deflection}
