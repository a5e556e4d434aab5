"""What is remembered about numbers and senders: who said STOP, what cannot be texted, how To is written."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, or_, select

from ivr.numbers import Number
from ivr.store.database import insert
from ivr.store.number_tables import number_facts, opt_outs, sender_facts
from ivr.store.tables import UtcTime

NUMBER_KEPT = timedelta(days=90)
# What passes sooner: a phone is switched on again, a carrier's filter lets go, an operator registers the sender.
KEPT_SHORTER = {"unreachable": timedelta(hours=1), "filtered": timedelta(days=1), "unregistered": timedelta(hours=1)}
KEPT_SHORTER["not_on_channel"] = timedelta(days=30)
SENDER_KEPT = timedelta(days=30)
EVERY_SENDER = ""


# Built once: every yes asks them.
_STOPPED = select(opt_outs.c.stopped).where(
    opt_outs.c.number == bindparam("number"), opt_outs.c.sender == bindparam("sender")
)
# Of one sender, or of every one, too: two places rather than a list, whose statement would be made anew for its length.
_FACTS = select(number_facts.c.reason, number_facts.c.learned_at).where(
    number_facts.c.number == bindparam("number"),
    or_(number_facts.c.sender == bindparam("sender"), number_facts.c.sender == bindparam("or_of_sender")),
)
_E164 = select(sender_facts.c.sender).where(
    sender_facts.c.sender == bindparam("sender"), sender_facts.c.e164_since > bindparam("since", type_=UtcTime)
)


def opted_out(tx: Connection, number: str, sender: str) -> bool:
    return bool(tx.execute(_STOPPED, {"number": number, "sender": sender}).scalar())


def set_opt_out(tx: Connection, number: str, sender: str, stopped: bool, learned_from: str, now: datetime) -> None:
    changed = {"stopped": stopped, "learned_from": learned_from, "changed_at": now}
    written = insert(tx.dialect.name, opt_outs).values(number=number, sender=sender, **changed)
    tx.execute(written.on_conflict_do_update(index_elements=["number", "sender"], set_=changed))


def cannot_be_texted(
    tx: Connection, number: str, sender: str, now: datetime, of_every_sender: bool = True
) -> str | None:
    """Why texts of this sender to this number fail, as far as is known and still likely, or None."""
    whose = {"sender": sender, "or_of_sender": EVERY_SENDER if of_every_sender else sender}
    for reason, learned_at in tx.execute(_FACTS, {"number": number, **whose}):
        if learned_at > now - KEPT_SHORTER.get(reason, NUMBER_KEPT):
            return str(reason)
    return None


def learn_number(tx: Connection, number: str, sender: str, reason: str, code: int, now: datetime) -> None:
    fact = {"reason": reason, "code": code, "learned_at": now}
    written = insert(tx.dialect.name, number_facts).values(number=number, sender=sender, **fact)
    tx.execute(written.on_conflict_do_update(index_elements=["number", "sender"], set_=fact))


def forget_old_numbers(tx: Connection, now: datetime) -> int:
    """Numbers change hands: what was learned of one more than 90 days ago goes."""
    return tx.execute(delete(number_facts).where(number_facts.c.learned_at <= now - NUMBER_KEPT)).rowcount


def wants_e164(tx: Connection, sender: str, now: datetime) -> bool:
    """Whether Twilio refused the full format for this sender within the last 30 days."""
    return tx.execute(_E164, {"sender": sender, "since": now - SENDER_KEPT}).first() is not None


def destination(tx: Connection, number: Number, sender: str, number_format: str, now: datetime) -> str:
    """The number as Twilio is asked first: in full format, unless the file or an answer of 21211 says E.164."""
    return number.e164 if number_format == "e164" or wants_e164(tx, sender, now) else number.full


def learn_e164(tx: Connection, sender: str, now: datetime) -> None:
    written = insert(tx.dialect.name, sender_facts).values(sender=sender, e164_since=now)
    tx.execute(written.on_conflict_do_update(index_elements=["sender"], set_={"e164_since": now}))
