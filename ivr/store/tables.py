"""The tables: what a call was, what it was offered, which texts came of it, what is known about numbers."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC: timestamptz on PostgreSQL, sortable text on SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(26))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return None if value is None else stored(value, dialect.name)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        return value.astimezone(UTC) if value is not None else None


def stored(moment: datetime, dialect: str) -> Any:
    """A moment as the driver takes it."""
    if dialect != "sqlite":
        return moment
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def fixed(word: str) -> ColumnElement[str]:
    """A word of ours, never anybody else's, in the statement itself: not a parameter of it.

    SQLite works out its plan anew at each use of a statement with a parameter that may decide about a partial index.
    """
    return literal_column(f"'{word}'", String)


calls = Table(
    "calls",
    metadata,
    Column("call_sid", String(64), primary_key=True),
    Column("brand", String(32), nullable=False),
    Column("entry", String(32), nullable=False),  # the branch or menu where the call came in
    Column("offered", String(32)),  # the branch whose offer was the first the caller heard
    Column("caller", String(200), nullable=False),  # From, as Twilio sent it
    Column("dialled", String(200), nullable=False),  # To
    Column("studio_flow", String(34)),
    Column("studio_execution", String(34)),
    Column("started_at", UtcTime, nullable=False),
)

deflections = Table(
    "deflections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_sid", String(64), nullable=False),
    Column("branch", String(32), nullable=False),
    Column("brand", String(32), nullable=False),
    Column("caller", String(200), nullable=False),
    Column("offered_at", UtcTime, nullable=False),
    Column("accepted_at", UtcTime),
    Column("accepted_key", String(1)),
    Column("number", String(20)),  # E.164, the destination of the text
    Column("refused", String(32)),  # why no text was tried: no_number, region, opted_out …
    Column("entered", String(20)),  # E.164, keyed in and read back; the caller has not said yet that it is right
    Column("keyed_in", Boolean, nullable=False, server_default=false()),  # `number` is not the caller's own
    Column("keyed_by", String(200)),  # who keyed it in, however From was written
    Column("prompt_version", String(16)),  # of the offer that was accepted, in `prompts`
    UniqueConstraint("call_sid", "brand", "branch"),
)

# A call that went back to the Studio flow that sent it: once a visit, whatever is asked again.
studio_returns = Table(
    "studio_returns",
    metadata,
    Column("call_sid", String(64), primary_key=True),
    Column("visit", Integer, primary_key=True, autoincrement=False),  # a flow may send one call several times
    Column("ref", String(32), nullable=False, unique=True),  # what the flow is told of this row
    Column("result", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("returned_at", UtcTime, nullable=False),
)

# What was said to whoever accepted, word for word.
prompts = Table(
    "prompts",
    metadata,
    Column("version", String(16), primary_key=True),  # the beginning of the text's SHA-256
    Column("text", Text, nullable=False),
    Column("first_used_at", UtcTime, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("brand", String(32), nullable=False),
    Column("desk", String(16), nullable=False),  # liveperson, webhook
    Column("number", String(200), nullable=False),  # the consumer, as in messages
    Column("sender", String(200), nullable=False),
    # wanted: a text waits for it to be opened; open; closed
    Column("state", String(16), nullable=False),
    Column("branch", String(32)),
    Column("skill", String(100)),
    Column("deflection_id", Integer, ForeignKey("deflections.id")),
    Column("first_message", String(32)),  # the text that carries `context_line`
    Column("context_line", String(1000), nullable=False, server_default=""),
    Column("desk_consumer", String(100)),  # the desk's own id of the consumer
    Column("desk_id", String(100), unique=True),  # and of the conversation
    Column("dialog", String(100)),  # what takes texts in place of the conversation: a survey
    Column("changed", BigInteger, nullable=False, server_default="0"),  # the desk's clock, of the newest change told
    Column("started_at", UtcTime, nullable=False),
    Column("opened_at", UtcTime),
    Column("answered_at", UtcTime),  # when an agent did last
    Column("closed_at", UtcTime),
)

# A consumer has one conversation with a brand's sender at a time.
Index(
    "uq_conversations_not_closed",
    conversations.c.number,
    conversations.c.sender,
    conversations.c.brand,
    unique=True,
    sqlite_where=text("state <> 'closed'"),
    postgresql_where=text("state <> 'closed'"),
)
Index("ix_conversations_desk_consumer", conversations.c.desk_consumer)
Index("ix_conversations_deflection_id", conversations.c.deflection_id)

# What is said along a conversation, or after a greeting: each once.
expectations = Table(
    "expectations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32)),
    Column("deflection_id", Integer),  # of a follow-up
    Column("name", String(16), nullable=False),  # received, late, closed, ended, at_risk, follow_up
    Column("due_at", UtcTime),  # when it is to be said, if it is true then; none: it was, or it never will be
    Column("message_id", String(32)),  # the text that says it
    UniqueConstraint("conversation_id", "name"),
    UniqueConstraint("deflection_id", "name"),
)
Index(
    "ix_expectations_due_at",
    expectations.c.due_at,
    sqlite_where=text("due_at IS NOT NULL"),
    postgresql_where=text("due_at IS NOT NULL"),
)
Index("ix_expectations_message_id", expectations.c.message_id)

# What a desk said in a conversation whose id we had not learned yet.
early_events = Table(
    "early_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("desk_id", String(100), nullable=False),
    Column("event", JSON, nullable=False),
    Column("received_at", UtcTime, nullable=False),
)
Index("ix_early_events_desk_id", early_events.c.desk_id)

# What a desk of a brand's own told, by the id that it gave it.
taken_events = Table(
    "taken_events",
    metadata,
    Column("event", String(250), primary_key=True),
    Column("taken_at", UtcTime, nullable=False),
)

# What a consumer of an open conversation was asked about who they are, and answered; gone when it closes.
identities = Table(
    "identities",
    metadata,
    Column("conversation_id", String(32), primary_key=True),
    Column("attribute", String(32)),  # of the question that waits for its answer; none when no question does
    Column("asked_at", UtcTime, nullable=False),  # that question
    Column("tries", Integer, nullable=False, server_default="0"),  # texts that were no answer to it
    Column("answers", JSON, nullable=False),  # by attribute
    Column("began_at", UtcTime, nullable=False),
)
Index("ix_identities_began_at", identities.c.began_at)

messages = Table(
    "messages",
    metadata,
    Column("id", String(32), primary_key=True),
    # to the consumer: greeting, answer, notice, expectation, question (about who they are);
    # to the desk: inbound (what the consumer wrote), note, receipt, attributes (that there are answers in `identities`)
    # to another IVR's URL: event, whose number is the deflection's id
    Column("kind", String(16), nullable=False),
    # due, sending, unclear, sent, delivered, failed, dead; received: written down, and nobody's to send
    Column("state", String(16), nullable=False),
    Column("brand", String(32)),  # none for a text to a number that no brand has
    Column("deflection_id", Integer, ForeignKey("deflections.id")),
    Column("call_sid", String(64)),  # the call that a greeting came of
    Column("number", String(200), nullable=False),  # the consumer: E.164, or a channel address as it came
    Column("sender", String(200), nullable=False),  # our number, whatsapp:number, messaging service, or "push"
    Column("body", Text, nullable=False),
    Column("media", JSON(none_as_null=True)),  # [{"url": …, "type": …}] of an inbound MMS
    Column("provider_id", String(64), unique=True),  # MessageSid
    Column("error_code", Integer),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("destination", String(200)),  # To, as Twilio is asked first
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("started_at", UtcTime),  # the last attempt
    Column("next_try", UtcTime),  # of a due text: when; of an unclear one: when the other side is asked about it
    Column("lease_until", UtcTime),  # of a text that is being sent: when its process must be dead
    Column("give_up_at", UtcTime),
    Column("towards", String(8), nullable=False, server_default="consumer"),  # who gets it: consumer, desk, webhook
    Column("conversation_id", String(32)),
    Column("desk_event", String(250)),  # what it is at the desk, once: the dialog and its sequence there
    Column("maybe_twice", Boolean, nullable=False, server_default=false()),  # sent again without knowing
    Column("channel", String(16)),  # of a greeting: push, whatsapp, rcs, sms; none of one from before there were others
    Column("content", JSON(none_as_null=True)),  # {"sid": HX…, "variables": {…}}: the template in the place of `body`
    Column("read_at", UtcTime),  # when its reader was seen to read it, where a channel tells
)

# Which numbers one caller keyed in: few among many, and an offer pays nothing for it.
Index(
    "ix_deflections_keyed_in",
    deflections.c.keyed_by,
    sqlite_where=text("keyed_in"),
    postgresql_where=text("keyed_in"),
)

Index("ix_messages_deflection_id", messages.c.deflection_id)
Index("ix_messages_number", messages.c.number, messages.c.created_at)
Index("uq_messages_desk_event", messages.c.desk_event, unique=True)
Index("ix_messages_conversation_id", messages.c.conversation_id)

# One accepted offer is one text, held by the database itself.
Index(
    "uq_messages_greeting",
    messages.c.deflection_id,
    unique=True,
    sqlite_where=text("kind = 'greeting' AND state <> 'failed'"),
    postgresql_where=text("kind = 'greeting' AND state <> 'failed'"),
)

# Every question the worker asks is about these few, however many are finished.
Index(
    "ix_messages_unfinished",
    messages.c.number,
    messages.c.sender,
    sqlite_where=text("state IN ('due', 'sending', 'unclear')"),
    postgresql_where=text("state IN ('due', 'sending', 'unclear')"),
)

schedule = Table(
    "schedule",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("next_run", UtcTime, nullable=False),
)
