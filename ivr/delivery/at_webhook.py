"""At a desk of the brand's own: the consumer's text as signed JSON, which may be repeated without harm."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ivr import numbers
from ivr.clients.failure import SendError
from ivr.clients.webhook import WebhookDesk
from ivr.delivery.ledger import Ledger
from ivr.flow import model
from ivr.relay.agent import Listener
from ivr.store import conversations, identities
from ivr.store.conversations import Conversation
from ivr.store.outbox import Text


@dataclass(frozen=True, slots=True)
class AtWebhook:
    ledger: Ledger
    listener: Listener
    client: WebhookDesk
    secrets: Mapping[str, str] = field(repr=False)  # by brand

    def publish(self, text: Text, conversation: Conversation) -> None:
        """Raises SendError, never an unclear one: the desk takes each id once. Raises ConversationClosed."""
        flow = self.listener.flows.get(conversation.brand)
        if flow is None or not isinstance(flow.desk, model.WebhookDesk):
            raise SendError(f"{conversation.brand}: this brand has no desk of its own any more", permanent=True)
        payload = self._payload(text, conversation, flow)
        secret, deadline = self.secrets[flow.id], self.client.deadline()
        self.client.post(flow.desk.url, secret, payload, deadline, flow.desk.allow_private)
        if conversation.state == "wanted":
            with self.ledger.database.writes() as tx:
                conversations.opened(tx, conversation.id, None, self.ledger.now())

    def _payload(self, text: Text, conversation: Conversation, flow: model.Flow) -> dict[str, Any]:
        with self.ledger.database.reads() as tx:
            call = conversations.call(tx, conversation.deflection_id)
            answers = identities.answers(tx, conversation.id)
        branch, number = flow.branches.get(conversation.branch or ""), numbers.read(conversation.number)
        context: dict[str, Any] = {"call_sid": call.sid, "called_at": _moment(call.at)} if call else {}
        if branch and branch.sla:
            context["promise"] = branch.sla.spoken
        if call and call.attributes:
            context["attributes"] = dict(call.attributes)
        files = enumerate(text.media or ())
        return {
            "id": text.id,
            "type": text.kind if text.kind in ("note", "attributes") else "text",
            "at": _moment(text.created_at),
            "conversation": {
                "id": conversation.id,
                "brand": conversation.brand,
                "branch": conversation.branch,
                "skill": conversation.skill,
                "opened_at": _moment(conversation.started_at),
            },
            "consumer": {"number": number.full if number else conversation.number, "address": conversation.number},
            "text": text.body,
            "media": [
                {"url": self.listener.files.url(text.id, place), "type": piece.get("type", "")}
                for place, piece in files
            ],
            "context": context,
            **({"attributes": dict(answers)} if answers else {}),
        }


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
