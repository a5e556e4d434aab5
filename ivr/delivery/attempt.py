"""One attempt at one row, and what to do about one that is unclear: by whom it is to reach."""

from dataclasses import dataclass

from ivr.delivery.desks import Desks
from ivr.delivery.hooks import Hooks
from ivr.delivery.ledger import Outcome
from ivr.delivery.texts import Texts
from ivr.store.outbox import Text


@dataclass(frozen=True, slots=True)
class Delivery:
    texts: Texts
    desks: Desks
    hooks: Hooks

    def attempt(self, text: Text) -> Outcome:
        return self._by(text).attempt(text)

    def settle(self, text: Text) -> None:
        self._by(text).settle(text)

    def _by(self, text: Text) -> Texts | Desks | Hooks:
        if text.towards == "webhook":
            return self.hooks
        return self.desks if text.towards == "desk" else self.texts
