"""At LivePerson: the conversation is opened where it is not, and the consumer's text is published in it."""

import hmac
from dataclasses import dataclass, field

from ivr import log, numbers
from ivr.clients.failure import ConversationClosed, SendError
from ivr.clients.liveperson import AlreadyOpen, LivePerson, Opening, Profile
from ivr.delivery.ledger import Ledger
from ivr.flow.model import LivePersonDesk
from ivr.relay import agent
from ivr.relay.agent import Listener, published
from ivr.store import conversations, identities
from ivr.store.conversations import Conversation
from ivr.store.outbox import Text

# What another IVR may know of its caller, by the names that agents see it under.
_KNOWN_ELSEWHERE = {"customerId": "customer_id", "firstname": "first_name", "lastname": "last_name"}


@dataclass(frozen=True, slots=True)
class AtLivePerson:
    ledger: Ledger
    listener: Listener
    client: LivePerson
    secret_key: str = field(repr=False)

    def publish(self, text: Text, conversation: Conversation) -> str | None:
        """Which event it is there. Raises SendError, and ConversationClosed."""
        deadline, consumer = self.client.deadline(), ext_consumer_id(self.secret_key, conversation)
        desk_id = conversation.desk_id or self._opened(conversation, consumer, deadline)
        if text.kind == "attributes":  # of the consumer, whatever the conversation is
            self.client.set_profile(consumer, self._profile(conversation), deadline)
            return None
        if desk_id is None:
            return self._in_the_last_one(text, conversation, consumer, deadline)
        if text.kind == "receipt":
            status, _, sequence = text.body.partition(" ")
            self.client.receipt(consumer, desk_id, status, [int(sequence)], deadline)
            return None
        words = published(conversation, text.id, text.body, text.media, self.listener.files)
        dialog = conversation.dialog or desk_id
        return f"{dialog}:{self.client.publish(consumer, desk_id, words, deadline, dialog)}"

    def _in_the_last_one(self, text: Text, conversation: Conversation, consumer: str, deadline: float) -> str:
        """The desk has one open whose id we do not know: perhaps the last, taken up again without our hearing of it."""
        unknown = SendError("The conversation is open; its id comes with a webhook")
        with self.ledger.database.reads() as tx:
            last = conversations.last_closed(tx, conversation)
        if last is None or last.desk_id is None:
            raise unknown
        words = published(conversation, text.id, text.body, text.media, self.listener.files)
        try:
            sequence = self.client.publish(consumer, last.desk_id, words, deadline)
        except ConversationClosed:
            raise unknown from None
        with self.ledger.database.writes() as tx:
            conversations.give_desk_id(tx, last.id)
            agent.learn_id(tx, conversation, last.desk_id, self.listener)
        return f"{last.desk_id}:{sequence}"

    def _opened(self, conversation: Conversation, consumer: str, deadline: float) -> str | None:
        """The desk's id of the conversation; None where it is open already, and nobody told us its id yet.

        Opening is repeated until it is known, by whichever way.
        """
        desk_consumer = self.client.consumer(consumer, deadline)
        if conversation.desk_consumer != desk_consumer:
            with self.ledger.database.writes() as tx:
                conversations.learn_consumer(tx, conversation.id, desk_consumer)
        try:
            desk_id = self.client.open(self._opening(conversation, consumer), deadline)
        except AlreadyOpen:
            return self._learned_meanwhile(conversation)
        except SendError as error:
            if error.unclear:  # a repeat finds it open, or opens it
                raise SendError(error.reason, code=error.code, retry_after=error.retry_after) from error
            raise
        with self.ledger.database.writes() as tx:
            agent.learn_opened(tx, conversation, desk_id, self.listener)
        log.event("conversation_opened", conversation=conversation.id, skill=conversation.skill)
        return desk_id

    def _learned_meanwhile(self, conversation: Conversation) -> str | None:
        with self.ledger.database.reads() as tx:
            found = conversations.find(tx, conversation.id)
        return found.desk_id if found else None

    def _opening(self, conversation: Conversation, consumer: str) -> Opening:
        flow = self.listener.flows.get(conversation.brand)
        desk = flow.desk if flow and isinstance(flow.desk, LivePersonDesk) else LivePersonDesk(None, None)
        profile = self._profile(conversation)
        return Opening(consumer, profile, conversation.skill, desk.campaign, desk.engagement)

    def _profile(self, conversation: Conversation) -> Profile:
        flow, number = self.listener.flows.get(conversation.brand), numbers.read(conversation.number)
        with self.ledger.database.reads() as tx:
            call = conversations.call(tx, conversation.deflection_id)
            answers = identities.answers(tx, conversation.id)
        elsewhere = call.attributes if call else {}
        known = {name: elsewhere[ours] for name, ours in _KNOWN_ELSEWHERE.items() if ours in elsewhere}
        return Profile(
            phone=number.full if number else "",
            branch=conversation.branch or "",
            brand=flow.name if flow else conversation.brand,
            call_sid=call.sid if call else "",
            answers={**known, **answers},
        )


def ext_consumer_id(secret_key: str, conversation: Conversation) -> str:
    """The same consumer and sender of a brand always, and nobody can tell the number from it."""
    named = f"{conversation.brand}\n{conversation.number}\n{conversation.sender}"
    return hmac.new(secret_key.encode(), named.encode(), "sha256").hexdigest()[:32]
