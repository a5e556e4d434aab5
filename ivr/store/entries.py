"""Rows about numbers that callers key in: what waits for a yes, and how often one was keyed in already."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, distinct, func, or_, select, update

from ivr.store.calls import Call, this_deflection
from ivr.store.number_tables import opt_outs
from ivr.store.tables import deflections, messages

DAY = timedelta(days=1)


def enter(tx: Connection, call: Call, branch: str, number: str) -> bool:
    """Keep what was keyed in until it is confirmed. False where nothing was accepted, or a text is under way."""
    accepted = select(deflections.c.id).where(this_deflection(call, branch), deflections.c.accepted_at.is_not(None))
    # The row is locked before its texts are looked for: whoever confirms at this moment has then written theirs.
    deflection = tx.execute(accepted.with_for_update()).scalar()
    live = select(messages.c.id).where(messages.c.deflection_id == deflection, messages.c.state != "failed")
    if deflection is None or tx.execute(live.limit(1)).first():
        return False
    tx.execute(update(deflections).where(deflections.c.id == deflection).values(entered=number))
    return True


def entered(tx: Connection, call: Call, branch: str) -> str | None:
    """The number that was read back to the caller."""
    return tx.execute(select(deflections.c.entered).where(this_deflection(call, branch))).scalar()


def confirm(tx: Connection, call: Call, branch: str, number: str, caller: str) -> int | None:
    """The deflection, the first time that the number which waits is said to be right; None ever after.

    `caller`: who says so, however From is written.
    """
    taken = {"number": number, "keyed_in": True, "keyed_by": caller, "entered": None, "refused": None}
    waits = update(deflections).where(this_deflection(call, branch), deflections.c.entered == number)
    return tx.execute(waits.values(taken).returning(deflections.c.id)).scalar_one_or_none()


def was_tried(tx: Connection, deflection: int, number: str) -> bool:
    """Whether this call has a text under way, or had one to this number."""
    of_this = (messages.c.deflection_id == deflection) & (
        (messages.c.number == number) | (messages.c.state != "failed")
    )
    return tx.execute(select(messages.c.id).where(of_this).limit(1)).first() is not None


def had_its_text(tx: Connection, number: str, now: datetime) -> bool:
    """Whether a number has had a greeting within a day, and never wrote to us, or wrote STOP to whichever sender.

    One that Twilio took and then called undelivered counts too: nobody can know that it did not arrive.
    """
    last_day = select(messages.c.id).where(
        messages.c.number == number,
        messages.c.created_at > now - DAY,
        messages.c.kind == "greeting",
        or_(messages.c.state.not_in(("failed", "dead")), messages.c.provider_id.is_not(None)),
    )
    stopped = select(opt_outs.c.number).where(opt_outs.c.number == number, opt_outs.c.stopped)
    wrote = select(messages.c.id).where(messages.c.number == number, messages.c.kind == "inbound", ~stopped.exists())
    return tx.execute(last_day.limit(1)).first() is not None and tx.execute(wrote.limit(1)).first() is None


def others_today(tx: Connection, caller: str, own: str, number: str, now: datetime) -> int:
    """How many numbers beside `number` and the caller's own were texted for this caller within a day."""
    who = deflections.c.keyed_by == caller
    texted = (
        select(func.count(distinct(messages.c.number)))
        .select_from(deflections.join(messages, messages.c.deflection_id == deflections.c.id))
        .where(who, deflections.c.keyed_in, messages.c.created_at > now - DAY, messages.c.number.not_in((own, number)))
    )
    return tx.execute(texted).scalar_one()


def one_at_a_time(tx: Connection, caller: str, number: str) -> None:
    """Let two calls that key in the same number, or two of one caller, count one after the other.

    SQLite has one writer at a time anyway. Callers are locked before numbers, so that no two wait for each other.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(1, func.hashtext(caller))))
        tx.execute(select(func.pg_advisory_xact_lock(2, func.hashtext(number))))
