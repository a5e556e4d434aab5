"""What a push is made of: which devices, in which order, and what the app is told beside the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update

from ivr.store.consumer_tables import pushes

KEPT = timedelta(days=3)  # a greeting is given up after an hour, and a person may requeue it


@dataclass(frozen=True, slots=True)
class Push:
    devices: Sequence[Mapping[str, str]]  # token, platform, external_id
    context: Mapping[str, str]
    may_be_there: bool = False  # an attempt ended without anybody's knowing


def write(tx: Connection, message_id: str, push: Push, now: datetime) -> None:
    made = {"devices": [dict(device) for device in push.devices], "context": dict(push.context)}
    tx.execute(pushes.insert().values(message_id=message_id, written_at=now, **made))


def find(tx: Connection, message_id: str) -> Push | None:
    row: Any = tx.execute(select(pushes).where(pushes.c.message_id == message_id)).first()
    return Push(row.devices, row.context, row.may_be_there) if row else None


def may_be_there(tx: Connection, message_id: str) -> None:
    tx.execute(update(pushes).where(pushes.c.message_id == message_id).values(may_be_there=True))


def forget_old(tx: Connection, now: datetime) -> None:
    tx.execute(delete(pushes).where(pushes.c.written_at <= now - KEPT))
