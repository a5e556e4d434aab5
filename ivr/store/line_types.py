"""What kind of line a number is, as it was looked up: asked once, kept for 90 days."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, select, update

from ivr.store.consumer_tables import line_types
from ivr.store.database import insert
from ivr.store.known import NUMBER_KEPT
from ivr.store.number_tables import number_facts, opt_outs
from ivr.store.tables import messages

ASK_AGAIN = timedelta(hours=1)  # after nobody answered
_BY_WHATSAPP = "whatsapp:%"  # where landlines may be, and mobiles may not: it says nothing of the line
# Twilio's kinds of line (Lookup v2, line_type_intelligence) that texts do not reach, in words of `flow/refusals.py`.
NOT_TEXTED = {
    "landline": "landline",
    "tollFree": "toll_free",
    "premium": "premium",
    "sharedCost": "shared_cost",
    "pager": "pager",
    "uan": "landline",
    "voicemail": "landline",
}


def claim(tx: Connection, number: str, sender: str, now: datetime) -> bool:
    """Whether it is to be looked up now, by whoever hears yes: nothing is known of it, and nobody else is asking."""
    if _taught(tx, number, sender, now):
        return False
    kept = tx.execute(select(line_types.c.kind, line_types.c.asked_at).where(line_types.c.number == number)).first()
    if kept and kept.asked_at > now - (NUMBER_KEPT if kept.kind else ASK_AGAIN):
        return False
    asked = {"kind": "", "asked_at": now}
    written = insert(tx.dialect.name, line_types).values(number=number, **asked)
    # Of two at once, the second finds the row that the first has just changed.
    before = line_types.c.asked_at <= (kept.asked_at if kept else now - NUMBER_KEPT)
    written = written.on_conflict_do_update(index_elements=["number"], set_=asked, where=before)
    return tx.execute(written.returning(line_types.c.number)).first() is not None


def _taught(tx: Connection, number: str, sender: str, now: datetime) -> bool:
    """Whether a send has told already whether texts arrive there."""
    recent = now - NUMBER_KEPT
    facts = select(number_facts.c.number).where(
        number_facts.c.number == number,
        number_facts.c.learned_at > recent,
        number_facts.c.sender.not_like(_BY_WHATSAPP),
    )
    stopped = select(opt_outs.c.number).where(opt_outs.c.number == number, opt_outs.c.sender == sender)
    arrived = select(messages.c.number).where(
        messages.c.number == number,
        messages.c.state == "delivered",
        messages.c.created_at > recent,
        messages.c.sender.not_like(_BY_WHATSAPP),
    )
    return any(tx.execute(look.limit(1)).first() is not None for look in (facts, stopped, arrived))


def learn(tx: Connection, number: str, kind: str) -> None:
    tx.execute(update(line_types).where(line_types.c.number == number).values(kind=kind[:16]))


def why_not(tx: Connection, number: str, now: datetime) -> str | None:
    """Why texts do not reach this kind of line, or None, also where nothing is known."""
    kept = and_(line_types.c.number == number, line_types.c.asked_at > now - NUMBER_KEPT)
    kind = tx.execute(select(line_types.c.kind).where(kept)).scalar()
    return NOT_TEXTED.get(kind or "")


def forget_old(tx: Connection, now: datetime) -> None:
    tx.execute(delete(line_types).where(line_types.c.asked_at <= now - NUMBER_KEPT))
