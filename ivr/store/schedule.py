"""Work by the clock: a row a task, claimed by a guarded UPDATE, so that it is done once over all processes."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from ivr.store.database import insert
from ivr.store.tables import schedule


def claim(tx: Connection, name: str, every: timedelta, now: datetime) -> bool:
    """Whether it is this process's turn to do a task now. A task nobody knew yet is due at once."""
    tx.execute(insert(tx.dialect.name, schedule).values(name=name, next_run=now).on_conflict_do_nothing())
    mine = update(schedule).where(schedule.c.name == name, schedule.c.next_run <= now).values(next_run=now + every)
    return tx.execute(mine).rowcount == 1
