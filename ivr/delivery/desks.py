"""To desks: the brand's own kind of desk gets what its consumer wrote, and what came of that is written down."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr import log
from ivr.clients.failure import ConversationClosed, SendError
from ivr.delivery.at_liveperson import AtLivePerson
from ivr.delivery.at_webhook import AtWebhook
from ivr.delivery.ledger import Ledger, Outcome
from ivr.relay import consumer
from ivr.relay.agent import Listener
from ivr.store import conversations, messages, outbox
from ivr.store.conversations import Conversation
from ivr.store.outbox import Text


@dataclass(frozen=True, slots=True)
class Desks:
    ledger: Ledger
    listener: Listener
    liveperson: AtLivePerson | None  # none where its settings are not set
    webhook: AtWebhook

    def attempt(self, text: Text) -> Outcome:
        """Publish one row that is `sending` under our lease, and record what came of it."""
        try:
            event = self._published(text)
        except SendError as error:
            return self._failed(text, error)
        except Exception as error:  # a fault of ours, after which nobody knows what the desk has
            log.error("text_attempt_failed", error, message=text.id, conversation=text.conversation_id)
            return self.ledger.unclear(text, SendError("a fault of ours", unclear=True))
        self.ledger.record(text, lambda tx: messages.at_desk(tx, text.id, event, self.ledger.now()))
        log.event("text_at_desk", message=text.id, conversation=text.conversation_id, kind=text.kind)
        return "sent"

    def settle(self, text: Text) -> None:
        """No echo came, and nobody can be asked: it is sent again, and marked so."""
        log.warning("text_maybe_twice", message=text.id, conversation=text.conversation_id)
        self.ledger.record(text, lambda tx: outbox.again_unknowing(tx, text, self.ledger.now()))

    def _published(self, text: Text) -> str | None:
        """Which event it is at the desk. What a closed conversation does not take goes to a new one, once."""
        conversation = self._conversation(text)
        flow = self.listener.flows.get(conversation.brand)
        desk = flow.relays_to if flow else None
        if desk is None:
            raise SendError(f"{conversation.brand}: this brand has no desk any more", permanent=True)
        if conversation.state != "closed" and desk != conversation.desk:  # a deploy gave the brand another one
            self._close(conversation)
        elif conversation.state != "closed":
            try:
                return self._publish(text, conversation)
            except ConversationClosed:
                self._close(conversation)
        if text.kind != "inbound":
            return None  # nobody is there to be told
        return self._publish(text, self._anew(text, conversation))

    def _publish(self, text: Text, conversation: Conversation) -> str | None:
        if conversation.desk == "webhook":
            self.webhook.publish(text, conversation)
            return None
        if self.liveperson is None:
            raise SendError("LivePerson is not configured; set LIVEPERSON_ACCOUNT, _CLIENT_ID and _CLIENT_SECRET")
        return self.liveperson.publish(text, conversation)

    def _conversation(self, text: Text) -> Conversation:
        with self.ledger.database.reads() as tx:
            found = conversations.find(tx, text.conversation_id or "")
        if found is None:
            raise SendError("The conversation of this text is gone", permanent=True)
        return found

    def _close(self, conversation: Conversation) -> None:
        with self.ledger.database.writes() as tx:
            conversations.close(tx, conversation.id, self.ledger.now())

    def _anew(self, text: Text, closed: Conversation) -> Conversation:
        """A new conversation, with the skill that holds now, for what the closed one takes no more."""
        flow = self.listener.flows.get(closed.brand)
        if flow is None:
            raise SendError(f"{closed.brand}: this brand is gone", permanent=True)
        now, new_id = self.ledger.now(), self.listener.new_id
        with self.ledger.database.writes() as tx:
            there = conversations.of_consumer(tx, closed.brand, closed.number, closed.sender)
            new = there or consumer.begin(tx, flow, closed.number, closed.sender, text.id, new_id, now)
            conversations.move_texts(tx, closed.id, new.id)
        log.event("conversation_anew", closed=closed.id, conversation=new.id)
        return new

    def _failed(self, text: Text, error: SendError) -> Outcome:
        if error.unclear:
            return self.ledger.unclear(text, error)
        if not error.permanent:
            return self.ledger.later(text, error)
        now = self.ledger.now()
        if text.kind in ("receipt", "attributes"):  # nobody needs to mend that
            return self.ledger.refused(text, error, lambda tx: messages.move(tx, text.id, "failed", now))
        return self.ledger.refused(text, error, lambda tx: self._dead(tx, text, error, now))

    def _dead(self, tx: Connection, text: Text, error: SendError, now: datetime) -> None:
        """What a consumer wrote is never given up unseen: a person reads why, and can requeue it."""
        if outbox.dead(tx, text, error.code, now):
            what_to_do = f"python -m ivr worker --requeue {text.id}"
            log.error("text_dead", message=text.id, reason=error.reason, what_to_do=what_to_do)
        conversations.close_abandoned(tx, now)
