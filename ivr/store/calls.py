"""Rows about calls: that one came in, and which offers it heard."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, select, update

from ivr.store.api_tables import CALL_PREFIX
from ivr.store.control_tables import held_back
from ivr.store.database import Database, Insert, Quick, insert
from ivr.store.tables import calls, deflections, messages, stored


@dataclass(frozen=True, slots=True)
class Call:
    call_sid: str
    brand: str
    entry: str
    caller: str  # From, as Twilio sent it
    dialled: str
    studio_flow: str | None = None
    studio_execution: str | None = None

    @property
    def at_twilio(self) -> str | None:
        """Twilio's id of it; None where another IVR has the call, whose own id may be anything, a number too."""
        return None if self.call_sid.startswith(CALL_PREFIX) else self.call_sid

    @property
    def own_id(self) -> str:
        """As whoever has the call names it."""
        return self.call_sid.removeprefix(CALL_PREFIX)


@dataclass(frozen=True, slots=True)
class Journal:
    """What is written before a caller hears anything. A replay of a webhook leaves the first row as it is."""

    dialect: str
    _call: Quick
    _offer: Quick
    _call_and_offer: Quick
    _held_back: Quick

    @classmethod
    def of(cls, database: Database) -> "Journal":
        call = insert(database.dialect, calls).on_conflict_do_nothing()
        offered = ("call_sid", "branch", "brand", "caller", "offered_at")
        offer = insert(database.dialect, deflections).values(dict.fromkeys(offered)).on_conflict_do_nothing()
        return cls(
            database.dialect,
            Quick.of(database, call),
            Quick.of(database, offer),
            Quick.of(database, call, offer),
            Quick.of(database, insert(database.dialect, held_back).on_conflict_do_nothing()),
        )

    def came_in(self, call: Call, branch: str | None, now: datetime) -> None:
        """The call came in, straight to the offer of `branch` when there is one."""
        at = stored(now, self.dialect)
        values = {
            "call_sid": call.call_sid,
            "brand": call.brand,
            "entry": call.entry,
            "offered": branch,
            "caller": call.caller,
            "dialled": call.dialled,
            "studio_flow": call.studio_flow,
            "studio_execution": call.studio_execution,
            "started_at": at,
        }
        if branch is None:
            self._call.run(values)
        elif self.dialect != "sqlite":
            self._call_and_offer.run({**values, "branch": branch, "offered_at": at})
        elif not self._call.run(values):  # else its trigger wrote the offer in the same statement
            self.offered(call, branch, now)

    def offered(self, call: Call, branch: str, now: datetime) -> None:
        self._offer.run(
            {
                "call_sid": call.call_sid,
                "branch": branch,
                "brand": call.brand,
                "caller": call.caller,
                "offered_at": stored(now, self.dialect),
            }
        )

    def held_back(self, call: Call, branch: str, now: datetime) -> None:
        """The caller belongs to the control group of the branch: no offer was heard."""
        self._held_back.run(
            {
                "call_sid": call.call_sid,
                "brand": call.brand,
                "branch": branch,
                "caller": call.caller,
                "held_at": stored(now, self.dialect),
            }
        )


# Built once: to build the statements of a yes takes longer than to run them.
_THIS = and_(
    deflections.c.call_sid == bindparam("of_call"),
    deflections.c.brand == bindparam("of_brand"),
    deflections.c.branch == bindparam("of_branch"),
)
_ACCEPTED = (
    update(deflections)
    .where(_THIS, deflections.c.accepted_at.is_(None))
    .values(accepted_at=bindparam("moment"), accepted_key=bindparam("key"))
    .returning(deflections.c.id)
)
_DESTINATION = (
    update(deflections)
    .where(deflections.c.id == bindparam("deflection"))
    .values(number=bindparam("to"), refused=bindparam("why"))
)
_TEXT_STATE = (
    select(
        messages.c.state,
        deflections.c.refused,
        messages.c.error_code,
        deflections.c.keyed_in,
        deflections.c.number,
        messages.c.channel,
    )
    .select_from(
        deflections.outerjoin(
            messages,
            # A text to another number than the one in question was a try before it.
            and_(messages.c.deflection_id == deflections.c.id, messages.c.number == deflections.c.number),
        )
    )
    .where(_THIS, deflections.c.accepted_at.is_not(None))
    # Of several channels' the one that has not failed, of which there is one.
    .order_by(case((messages.c.state == "failed", 1), else_=0), messages.c.created_at.desc())
)


def _this(call: Call, branch: str) -> dict[str, str]:
    return {"of_call": call.call_sid, "of_brand": call.brand, "of_branch": branch}


@cache
def _offered(dialect: str) -> Insert:
    return insert(dialect, deflections).on_conflict_do_nothing()


def accept(tx: Connection, call: Call, branch: str, key: str, now: datetime) -> int | None:
    """Mark the offer accepted. The deflection's id the first time, None ever after: the guard of one text."""
    sid, brand = call.call_sid, call.brand
    offer = {"call_sid": sid, "branch": branch, "brand": brand, "caller": call.caller, "offered_at": now}
    tx.execute(_offered(tx.dialect.name), offer)
    return tx.execute(_ACCEPTED, {**_this(call, branch), "moment": now, "key": key}).scalar_one_or_none()


def destination(tx: Connection, deflection: int, number: str | None, refused: str | None) -> None:
    """Where the text of an accepted offer goes, or why none goes anywhere."""
    tx.execute(_DESTINATION, {"deflection": deflection, "to": number, "why": refused})


@dataclass(frozen=True, slots=True)
class TextState:
    """What became of an accepted offer: the state of its last text, or why there was none."""

    state: str | None
    refused: str | None
    code: int | None  # Twilio's error
    keyed: str  # E.164, where the text goes, if the caller keyed that in; else ""
    channel: str  # by which it goes


def text_state(tx: Connection, call: Call, branch: str) -> TextState | None:
    """None when the offer was not accepted."""
    row = tx.execute(_TEXT_STATE, _this(call, branch)).first()
    if row is None:
        return None
    return TextState(row.state, row.refused, row.error_code, row.number if row.keyed_in else "", row.channel or "sms")


def this_deflection(call: Call, branch: str) -> ColumnElement[bool]:
    """A deflection is one call and branch; a call that is handed on may visit two brands."""
    columns = deflections.c
    return and_(columns.call_sid == call.call_sid, columns.brand == call.brand, columns.branch == branch)
