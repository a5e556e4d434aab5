"""What is remembered about numbers and senders: who said STOP, what cannot be texted, how To is written."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from ivr.store.database import insert
from ivr.store.tables import number_facts, opt_outs, sender_facts

NUMBER_KEPT = timedelta(days=90)
SENDER_KEPT = timedelta(days=30)
EVERY_SENDER = ""


def opted_out(tx: Connection, number: str, sender: str) -> bool:
    row = select(opt_outs.c.stopped).where(opt_outs.c.number == number, opt_outs.c.sender == sender)
    return bool(tx.execute(row).scalar())


def set_opt_out(tx: Connection, number: str, sender: str, stopped: bool, learned_from: str, now: datetime) -> None:
    changed = {"stopped": stopped, "learned_from": learned_from, "changed_at": now}
    written = insert(tx.dialect.name, opt_outs).values(number=number, sender=sender, **changed)
    tx.execute(written.on_conflict_do_update(index_elements=["number", "sender"], set_=changed))


def cannot_be_texted(tx: Connection, number: str, sender: str, now: datetime) -> str | None:
    """Why texts of this sender to this number failed within the last 90 days, or None."""
    row = select(number_facts.c.reason).where(
        number_facts.c.number == number,
        number_facts.c.sender.in_((EVERY_SENDER, sender)),
        number_facts.c.learned_at > now - NUMBER_KEPT,
    )
    return tx.execute(row).scalar()


def learn_number(tx: Connection, number: str, sender: str, reason: str, code: int, now: datetime) -> None:
    fact = {"reason": reason, "code": code, "learned_at": now}
    written = insert(tx.dialect.name, number_facts).values(number=number, sender=sender, **fact)
    tx.execute(written.on_conflict_do_update(index_elements=["number", "sender"], set_=fact))


def wants_e164(tx: Connection, sender: str, now: datetime) -> bool:
    """Whether Twilio refused the full format for this sender within the last 30 days."""
    row = select(sender_facts.c.sender).where(
        sender_facts.c.sender == sender, sender_facts.c.e164_since > now - SENDER_KEPT
    )
    return tx.execute(row).first() is not None


def learn_e164(tx: Connection, sender: str, now: datetime) -> None:
    written = insert(tx.dialect.name, sender_facts).values(sender=sender, e164_since=now)
    tx.execute(written.on_conflict_do_update(index_elements=["sender"], set_={"e164_since": now}))
