"""One attempt at one row, and what to do about one that is unclear: by whom it is to reach."""

from dataclasses import dataclass

from ivr.delivery.desks import Desks
from ivr.delivery.ledger import Outcome
from ivr.delivery.texts import Texts
from ivr.store.outbox import Text


@dataclass(frozen=True, slots=True)
class Delivery:
    texts: Texts
    desks: Desks

    def attempt(self, text: Text) -> Outcome:
        return self.desks.attempt(text) if text.towards == "desk" else self.texts.attempt(text)

    def settle(self, text: Text) -> None:
        if text.towards == "desk":
            self.desks.settle(text)
        else:
            self.texts.settle(text)
