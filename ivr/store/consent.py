"""Consent on record: which words somebody heard before they pressed the key that accepts; and how to take it along."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from ivr.store.database import Insert, insert
from ivr.store.number_tables import opt_outs
from ivr.store.simulated import MARK
from ivr.store.tables import deflections, prompts

ROWS_AT_ONCE = 1000

# Built once: every yes writes it.
_HEARD = (
    update(deflections).where(deflections.c.id == bindparam("deflection")).values(prompt_version=bindparam("version"))
)


def record(tx: Connection, deflection: int, words: str, now: datetime) -> None:
    """Keep the offer's words, once, and which of them this deflection heard."""
    version = hashlib.sha256(words.encode()).hexdigest()[:16]
    tx.execute(_prompt(tx.dialect.name), {"version": version, "text": words, "first_used_at": now})
    tx.execute(_HEARD, {"deflection": deflection, "version": version})


@cache
def _prompt(dialect: str) -> Insert:
    return insert(dialect, prompts).on_conflict_do_nothing()


def consents(tx: Connection) -> Iterator[Any]:
    """Every accepted offer: call, number, whether it was keyed in, prompt, its version, key, UTC time.

    But for those of simulated calls, to which nobody consented.
    """
    accepted, heard = deflections.c, prompts.c
    return _rows(
        tx,
        select(
            accepted.accepted_at,
            accepted.brand,
            accepted.branch,
            accepted.call_sid,
            accepted.caller,
            accepted.number,
            accepted.keyed_in,
            accepted.accepted_key,
            accepted.prompt_version,
            heard.text.label("prompt"),
        )
        .select_from(deflections.outerjoin(prompts, heard.version == accepted.prompt_version))
        .where(accepted.accepted_at.is_not(None), accepted.brand.not_like(f"%{MARK}"))
        .order_by(accepted.accepted_at, accepted.id),
    )


def wishes(tx: Connection) -> Iterator[Any]:
    """Every STOP and START that is known: number, sender, whether it is stopped, since when, and learned from what."""
    listed = opt_outs.c
    columns = (listed.number, listed.sender, listed.stopped, listed.changed_at, listed.learned_from)
    return _rows(tx, select(*columns).order_by(listed.changed_at, listed.number))


def _rows(tx: Connection, query: Select[Any]) -> Iterator[Any]:
    """The columns' names, then the rows, a batch in memory at a time."""
    streamed = tx.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
    yield tuple(streamed.keys())
    yield from streamed
