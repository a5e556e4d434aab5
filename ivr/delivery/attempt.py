"""One attempt at one row, and what to do about one that is unclear: by whom it is to reach, and by which channel."""

from dataclasses import dataclass
from typing import Protocol

from ivr.delivery.desks import Desks
from ivr.delivery.hooks import Hooks
from ivr.delivery.ledger import Outcome
from ivr.delivery.texts import Texts
from ivr.store.outbox import Text


class Carries(Protocol):
    """A way to send. Whoever carries greetings calls `relay.channels.fell` when one of them has failed for good."""

    def attempt(self, text: Text) -> Outcome:
        """Send one row that is `sending` under our lease, and record what came of it."""

    def settle(self, text: Text) -> None:
        """Find out about one that is unclear."""


@dataclass(frozen=True, slots=True)
class Delivery:
    texts: Texts  # sms, whatsapp, rcs
    desks: Desks
    hooks: Hooks
    push: Carries | None = None  # into the brands' apps

    def attempt(self, text: Text) -> Outcome:
        return self._by(text).attempt(text)

    def settle(self, text: Text) -> None:
        self._by(text).settle(text)

    def _by(self, text: Text) -> Carries:
        if text.towards == "webhook":
            return self.hooks
        if text.towards == "desk":
            return self.desks
        return self.push if text.channel == "push" and self.push else self.texts
