"""Rows about greetings: which failed, of which yes, and by which channels that yes was answered so far."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select

from ivr.store.api_tables import CALL_PREFIX
from ivr.store.calls import Call, this_deflection
from ivr.store.tables import deflections, messages


@dataclass(frozen=True, slots=True)
class Failed:
    """A greeting that failed, and the yes it answered. `channels`: those that failed for this number."""

    deflection: int
    brand: str
    branch: str
    number: str  # E.164
    key: str  # that was pressed in a call of ours; another IVR's keys mean what it says
    accepted_at: datetime
    call_sid: str | None
    body: str
    channels: frozenset[str]


def failed(tx: Connection, message_id: str) -> Failed | None:
    """None where it is no failed greeting, goes to a number that was given up, or another of this yes has not failed.

    The yes is locked: whoever writes its next greeting at this moment is waited for, and seen.
    """
    texts, yes = messages.c, deflections.c
    this = and_(texts.id == message_id, texts.kind == "greeting", texts.state == "failed")
    of_it = select(texts.deflection_id, texts.call_sid, texts.body).where(this)
    greeting = tx.execute(of_it).first()
    if greeting is None:
        return None
    accepted = select(yes.brand, yes.branch, yes.number, yes.accepted_key, yes.accepted_at, yes.call_sid)
    row = tx.execute(accepted.where(yes.id == greeting.deflection_id).with_for_update()).first()
    if row is None or row.accepted_at is None:
        return None
    listed = select(texts.number, texts.state, texts.channel).where(
        texts.deflection_id == greeting.deflection_id, texts.kind == "greeting"
    )
    all_of_it = tx.execute(listed.add_columns(texts.id)).all()
    to = next(each.number for each in all_of_it if each.id == message_id)
    if to != row.number or any(each.state != "failed" for each in all_of_it):
        return None
    tried = frozenset(each.channel or "sms" for each in all_of_it if each.number == to)
    return Failed(
        greeting.deflection_id,
        row.brand,
        row.branch,
        to,
        "" if row.call_sid.startswith(CALL_PREFIX) else row.accepted_key or "",
        row.accepted_at,
        greeting.call_sid,
        greeting.body,
        tried,
    )


def accepted_key(tx: Connection, deflection: int) -> str:
    """The key that said yes."""
    return tx.execute(select(deflections.c.accepted_key).where(deflections.c.id == deflection)).scalar() or ""


def key_of(tx: Connection, call: Call, branch: str) -> str:
    """The same, of a call's yes to a branch."""
    return tx.execute(select(deflections.c.accepted_key).where(this_deflection(call, branch))).scalar() or ""
