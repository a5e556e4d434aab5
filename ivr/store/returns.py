"""Rows about returns to Studio: a call goes back once a visit, and is told the same ever after."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ivr.store.database import insert
from ivr.store.tables import studio_returns


@dataclass(frozen=True, slots=True)
class Return:
    result: str
    reason: str
    ref: str


def once(tx: Connection, call_sid: str, visit: int, back: Return, now: datetime) -> Return:
    """`back`, the first time of this visit, or of this ref; what was written then, ever after.

    Studio takes a return that it does not wait for as a new call into the flow.
    """
    values = {"result": back.result, "reason": back.reason, "ref": back.ref, "returned_at": now}
    written = insert(tx.dialect.name, studio_returns).values(call_sid=call_sid, visit=visit, **values)
    tx.execute(written.on_conflict_do_nothing())
    columns = studio_returns.c
    kept = select(columns.result, columns.reason, columns.ref)
    row = tx.execute(kept.where(columns.call_sid == call_sid, columns.ref == back.ref)).first()
    row = row or tx.execute(kept.where(columns.call_sid == call_sid, columns.visit == visit)).one()
    return Return(row.result, row.reason, row.ref)


def visits(tx: Connection, call_sid: str) -> int:
    """How often this call went back already."""
    counted = select(func.count()).select_from(studio_returns).where(studio_returns.c.call_sid == call_sid)
    return tx.execute(counted).scalar_one()
