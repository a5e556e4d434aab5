"""To the brand's app: a greeting as a push, by Google or the brand's own push service, and what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ivr import log, numbers
from ivr.clients import fcm
from ivr.clients.failure import NeverSent, NotReached, SendError
from ivr.clients.fcm import Fcm
from ivr.clients.push_service import PushService
from ivr.delivery.ledger import Ledger, Outcome
from ivr.flow import push as written
from ivr.flow.model import Flow
from ivr.relay import channels
from ivr.store import consumers, messages, outbox, pushes
from ivr.store.outbox import Text
from ivr.store.pushes import Push


@dataclass(frozen=True, slots=True)
class Pushes:
    """`google`: by brand. `secrets`: of the brands' own push services."""

    ledger: Ledger
    flows: Mapping[str, Flow]
    google: Mapping[str, Fcm]
    service: PushService
    secrets: Mapping[str, str] = field(repr=False)
    new_id: Callable[[], str]

    def attempt(self, text: Text) -> Outcome:
        """Push one greeting. What is unclear is repeated under the same id, and no other channel is tried meanwhile."""
        with self.ledger.database.reads() as tx:
            push = pushes.find(tx, text.id)
        try:
            if push is None:
                raise NotReached("Nobody knows any more where this push goes", permanent=True)
            self._push(text, push)
        except SendError as error:
            return self._failed(text, push, error)
        except Exception as error:  # a fault of ours, after which nobody knows who has it
            log.error("push_attempt_failed", error, message=text.id)
            return self._failed(text, push, SendError("a fault of ours", unclear=True))
        # A push is not seen to arrive: that it was taken is all there will ever be.
        self.ledger.record(text, lambda tx: messages.move(tx, text.id, "sent", self.ledger.now()))
        log.event("push_sent", call=text.call_sid, message=text.id, to=numbers.masked(text.number))
        return "sent"

    def settle(self, text: Text) -> None:
        """Nobody knows whether it arrived: pushed again, in the place of the first."""

        def again(tx: Connection) -> None:
            pushes.may_be_there(tx, text.id)
            outbox.again(tx, text, self.ledger.now(), timedelta())

        self.ledger.record(text, again)

    def _push(self, text: Text, push: Push) -> None:
        flow = self.flows.get(text.brand)
        if flow is None or flow.push is None:
            raise NotReached("The brand pushes no more", permanent=True)
        if isinstance(flow.push.by, written.PushService):
            by = flow.push.by
            self.service.push(by.url, self.secrets[flow.id], _payload(text, push), by.allow_private)
            return
        message = fcm.Push(text.id, flow.push.title, text.body, _data(text, push), self.ledger.now(), text.give_up_at)
        self._to_devices(self.google[flow.id], push, message)

    def _to_devices(self, google: Fcm, push: Push, message: fcm.Push) -> None:
        """The first device whose app is still there; one push is enough for one consumer."""
        gone, ends = SendError("No device is left"), google.deadline()
        for device in push.devices:
            try:
                google.send(device["token"], message, ends)
                return
            except NotReached as error:
                gone = error
                with self.ledger.database.writes() as tx:
                    consumers.mark_gone(tx, device["token"], self.ledger.now())
                log.event("app_gone", message=message.tag, reason=error.reason)
        raise gone

    def _failed(self, text: Text, push: Push | None, error: SendError) -> Outcome:
        if error.unclear:
            return self._unclear(text, error)
        there = push is not None and push.may_be_there
        if isinstance(error, NotReached) or not there:
            return self.ledger.refused(text, error, lambda tx: self._next(tx, text, error))
        if isinstance(error, NeverSent):
            return self.ledger.later(text, error)
        now = self.ledger.now()
        return self.ledger.refused(text, error, lambda tx: outbox.dead(tx, text, error.code, now))

    def _unclear(self, text: Text, error: SendError) -> Outcome:
        def again(tx: Connection) -> None:
            pushes.may_be_there(tx, text.id)
            outbox.again(tx, text, self.ledger.now(), self.ledger.wait(text, error))

        log.warning("push_unclear", message=text.id, reason=error.reason, code=error.code)
        self.ledger.record(text, again)
        return "later"

    def _next(self, tx: Connection, text: Text, error: SendError) -> None:
        """It is known that nothing arrived: the next channel's greeting is written in the same transaction.

        Not when this attempt outlasted its lease: another may have pushed it since, and nobody will tell that it did.
        """
        now = self.ledger.now()
        if outbox.is_held(tx, text) and messages.move(tx, text.id, "failed", now, code=error.code):
            channels.fell(tx, text.id, self.flows, self.new_id, now)


def _payload(text: Text, push: Push) -> Mapping[str, Any]:
    """The same in every repeat."""
    device = push.devices[0] if push.devices else {}
    return {
        "id": text.id,
        "event": "deflection.accepted",
        "idempotency_key": text.id,
        "caller": text.number,
        **{name: value or None for name, value in device.items()},
        **push.context,
        "message": text.body,
        "expires_at": _written(text.give_up_at),
    }


def _data(text: Text, push: Push) -> Mapping[str, str]:
    """What the app is told beside the words; FCM takes texts alone."""
    return {"event": "deflection.accepted", "id": text.id, **push.context, "expires_at": _written(text.give_up_at)}


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
