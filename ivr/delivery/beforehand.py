"""What is asked before a yes is written: does this consumer use the brand's app; is their number a landline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ivr import log, numbers
from ivr.clients.directory import BrandDirectory
from ivr.clients.failure import SendError
from ivr.clients.lookup import Lookup
from ivr.flow.model import Branch, Channel, Flow
from ivr.flow.push import Fcm, Push
from ivr.numbers import Number
from ivr.relay.channels import in_order
from ivr.store import consumers, greetings, line_types
from ivr.store.calls import Call
from ivr.store.database import Database

LONGEST_TOKEN, LONGEST_ID = 1_000, 200
_PLATFORMS = {"android": "android", "ios": "ios", "iphone": "ios", "apple": "ios"}
_NO = frozenset({"", "0", "0.0", "f", "false", "n", "no", "off", "none", "null"})

Device = Mapping[str, str]  # token, platform, external_id


@dataclass(frozen=True, slots=True)
class Beforehand:
    """`directories`: by brand; a brand that has none there is looked for in the embedded one."""

    database: Database
    directories: Mapping[str, BrandDirectory]
    lookup: Lookup
    now: Callable[[], datetime]

    def ask(self, flow: Flow, branch: Branch, key: str, number: str, may_look_up: bool = True) -> list[Device]:
        """All that is asked for this yes; where a push would go. A line is not looked up where a push comes first."""
        read = None if key and key == branch.other_number != branch.accept else numbers.read(number)
        return self._asked(flow, in_order(branch, key), read, may_look_up)

    def keyed_in(self, flow: Flow, branch: Branch, call: Call, number: str, may_look_up: bool = True) -> list[Device]:
        """The same of a number that was keyed in: the key that confirmed it is not the one that said yes."""
        with self.database.reads() as tx:
            key = greetings.key_of(tx, call, branch.name)
        return self._asked(flow, in_order(branch, key), numbers.read(number), may_look_up)

    def invited(self, flow: Flow, branch: Branch, number: str, chosen: Channel | None = None) -> list[Device]:
        """The same for another IVR, whose keys mean what it says; `chosen`: the channel that it wants first."""
        first = (chosen,) if chosen else ()
        return self._asked(flow, (*first, *in_order(branch, "")), numbers.read(number))

    def _asked(
        self, flow: Flow, order: Sequence[Channel], number: Number | None, may_look_up: bool = True
    ) -> list[Device]:
        devices = self.devices(flow, number) if "push" in order else []
        if may_look_up and (not devices or order[0] != "push"):
            self.look_up(flow, number)
        return devices

    def devices(self, flow: Flow, number: Number | None) -> list[Device]:
        """Where a push would reach this consumer, the app that was used last first; nothing where nobody knows.

        Whatever the directory does, this takes a third of a second at most and raises nothing.
        """
        if flow.push is None or number is None:
            return []
        try:
            return self._reachable(flow, flow.push, self._rows(flow, number))
        except (SendError, SQLAlchemyError) as error:
            reason = error.reason if isinstance(error, SendError) else type(error).__name__
            log.warning("directory_skipped", brand=flow.id, reason=reason)
            return []

    def look_up(self, flow: Flow, number: Number | None) -> None:
        """Ask Twilio what kind of line this is, where the brand wants it and nothing is known; the rows have it then.

        Whatever Twilio does, this takes a second and a half at most and raises nothing.
        """
        if not flow.lookup or number is None:
            return
        try:
            with self.database.writes() as tx:
                wanted = line_types.claim(tx, number.e164, flow.sender.address, self.now())
            if wanted:
                kind = self.lookup.line_type(number.e164)
                with self.database.writes() as tx:
                    line_types.learn(tx, number.e164, kind)
                log.event("looked_up", number=numbers.masked(number.e164), kind=kind or "not told")
        except SendError as error:  # open: who cannot be looked up is texted like anybody else
            log.warning("lookup_failed", brand=flow.id, reason=error.reason, code=error.code)
        except SQLAlchemyError as error:
            log.warning("lookup_failed", brand=flow.id, reason=type(error).__name__)

    def _rows(self, flow: Flow, number: Number) -> list[Mapping[str, Any]]:
        own = self.directories.get(flow.id)
        if own is not None:
            return own.rows(number.e164)
        with self.database.reads() as tx:
            return consumers.of_number(tx, flow.id, number.e164)

    def _reachable(self, flow: Flow, push: Push, rows: list[Mapping[str, Any]]) -> list[Device]:
        since = self.now() - timedelta(seconds=push.active_within)
        told = [(_moment(row.get("last_active")), row) for row in rows]
        told.sort(key=lambda each: each[0] or datetime.min.replace(tzinfo=UTC), reverse=True)
        used = [device for at, row in told if _uses(row, at, since) and (device := _device(row)) is not None]
        if not isinstance(push.by, Fcm):  # the brand knows its devices itself
            return used[:1]
        tokens = {device["token"]: device for device in used if device["token"]}
        with self.database.reads() as tx:
            gone = consumers.gone(tx, tokens)
        return [device for token, device in tokens.items() if token not in gone]


def _uses(row: Mapping[str, Any], last_active: datetime | None, since: datetime) -> bool:
    """Enrolled, or active of late; a directory that tells neither lists those who are enrolled."""
    if last_active and last_active >= since:
        return True
    enrolled = row.get("enrolled")
    if enrolled is None:
        return "enrolled" not in row and "last_active" not in row
    return str(enrolled).strip().lower() not in _NO


def _device(row: Mapping[str, Any]) -> Device | None:
    """As it may be used; None for a row that lies about what it is."""
    token, external_id = row.get("token"), row.get("external_id")
    token = "" if token is None else token
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or any(not "!" <= mark <= "~" for mark in token):
        return None
    external_id = "" if external_id is None else str(external_id)[:LONGEST_ID]
    platform = _PLATFORMS.get(str(row.get("platform") or "").strip().lower(), "")
    return {"token": token, "platform": platform, "external_id": external_id.replace("\0", "")}


def _moment(value: Any) -> datetime | None:
    """What a database says of a time: its own type, ISO text, or seconds since 1970; UTC where no zone is said.

    A day alone, which PostgreSQL has a type for and SQLite a text, is its first moment.
    """
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value.strip())
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
    except (ValueError, OverflowError, OSError):
        return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
