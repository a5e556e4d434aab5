"""What another IVR is told: a row in the outbox for every change of a deflection that it asked for with a URL."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, or_, select

from ivr.store.api_tables import CALL_PREFIX, api_deflections
from ivr.store.database import insert
from ivr.store.outbox import gives_up, ring
from ivr.store.tables import conversations, deflections, fixed, messages

KIND, TOWARDS, SENDER = "event", "webhook", "api"

Change = Literal["opened", "closed"]


# Built once: every text that was sent asks it.
_OF_GREETING = select(api_deflections.c.id, api_deflections.c.brand).where(
    messages.c.id == bindparam("text"),
    messages.c.kind == fixed("greeting"),
    messages.c.deflection_id == api_deflections.c.deflection_id,
    api_deflections.c.webhook.is_not(None),
)


def text_changed(tx: Connection, message_id: str, state: str, now: datetime, code: int | None = None) -> None:
    """A text is in another state of the API's: told where it is another IVR's greeting, and nothing otherwise."""
    asked = tx.execute(_OF_GREETING, {"text": message_id}).all()
    _tell(tx, asked, f"deflection.{state}", now, {"error_code": code} if code else {})


def conversation_changed(tx: Connection, conversation_id: str, what: Change, now: datetime) -> None:
    """A conversation that a deflection began, or joined."""
    one, asked = conversations.c, api_deflections.c
    theirs = or_(one.deflection_id == asked.deflection_id, asked.conversation_id == one.id)
    wanted = select(asked.id, asked.brand).where(one.id == conversation_id, theirs, asked.webhook.is_not(None))
    told = {"conversation": conversation_id}
    _tell(tx, tx.execute(wanted).all(), f"conversation.{what}", now, told)


def _tell(tx: Connection, asked: Sequence[Row[str, str]], kind: str, now: datetime, more: dict[str, Any]) -> None:
    for invitation, brand in asked:
        body = json.dumps({"type": kind, "at": now.astimezone(UTC).isoformat(), **more})
        values = {
            # By what it tells, so that what is told twice is one row.
            "id": hashlib.sha256(f"{invitation} {body}".encode()).hexdigest()[:32],
            "kind": KIND,
            "towards": TOWARDS,
            "state": "due",
            "brand": brand,
            "number": invitation,  # a deflection's events keep their order, and nobody else's wait for them
            "sender": SENDER,
            "body": body,
            "created_at": now,
            "updated_at": now,
            "started_at": now,
            "next_try": now,
            "give_up_at": gives_up(KIND, now),
        }
        tx.execute(insert(tx.dialect.name, messages).values(values).on_conflict_do_nothing())
    if asked:
        ring(tx)


def told(tx: Connection, invitation: str) -> dict[str, Any] | None:
    """Where a deflection's events go, whose key signs them, and whose deflection it is."""
    asked, its = api_deflections.c, deflections.c
    joined = api_deflections.join(deflections, its.id == asked.deflection_id)
    columns = (asked.id, asked.brand, its.branch, its.call_sid, its.number, asked.webhook, asked.api_key)
    row = tx.execute(select(*columns).select_from(joined).where(asked.id == invitation)).mappings().first()
    return {**row, "call_sid": row["call_sid"].removeprefix(CALL_PREFIX)} if row else None
