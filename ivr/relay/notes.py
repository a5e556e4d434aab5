"""Notes: what agents read that the consumer did not write, behind what it is about."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from ivr.store import outgoing
from ivr.store.conversations import Conversation
from ivr.store.outgoing import Outgoing

# What is said about a text comes right after it.
BEHIND = timedelta(microseconds=1)


def note(tx: Connection, conversation: Conversation, new_id: str, words: str, now: datetime) -> None:
    """Tell the agents something that the consumer did not write."""
    told = Outgoing(
        new_id,
        "note",
        conversation.brand,
        conversation.number,
        conversation.sender,
        words,
        conversation=conversation.id,
    )
    outgoing.write(tx, told, now, now + BEHIND)
