"""The rule: what a consumer's text does. It is written; STOP and START are obeyed. Only writes rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from ivr.store import known, messages
from ivr.store.messages import Inbound
from ivr.store.outbox import Text

# Twilio's default keywords on long codes: a text that is one of them alone, in any case.
STOP_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
START_WORDS = frozenset({"START", "UNSTOP", "YES"})

Wish = Literal["stop", "start"]


def wish(body: str, opt_out_type: str) -> Wish | None:
    """Whether a text says STOP or START. `opt_out_type`: OptOutType, where Twilio has decided and answered already."""
    if opt_out_type:
        return {"STOP": "stop", "START": "start"}.get(opt_out_type.upper())  # type: ignore[return-value]
    word = body.strip().strip(".!").upper()
    if word in STOP_WORDS:
        return "stop"
    return "start" if word in START_WORDS else None


def received(tx: Connection, text: Inbound, dialled: str, opt_out_type: str, now: datetime) -> tuple[bool, Wish | None]:
    """Write a text and what it wishes. (False, None) when it is here already: a replay changes nothing.

    `dialled`: the number that was written to; with a messaging service a STOP holds for both.
    """
    if not messages.write_inbound(tx, text, now):
        return False, None
    wished = wish(text.body, opt_out_type)
    if wished:
        for sender in {dialled, text.sender}:
            known.set_opt_out(tx, text.number, sender, wished == "stop", "text", now)
    return True, wished


def still_wanted(tx: Connection, texts: Sequence[Text], now: datetime) -> list[Text]:
    """Those of our waiting texts whose consumer has not said STOP meanwhile; the others are failed, for good."""
    wanted = []
    for text in texts:
        if known.opted_out(tx, text.number, text.sender):
            messages.move(tx, text.id, "failed", now)
        else:
            wanted.append(text)
    return wanted
