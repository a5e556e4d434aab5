"""LivePerson's conversations for `report containment`: asked for day by day, kept, gone on with after a break."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ivr.clients.failure import SendError
from ivr.clients.liveperson_history import History
from ivr.traffic import cells
from ivr.traffic.cells import DAY
from ivr.traffic.contained import Material, Period, day
from ivr.traffic.kept_chats import Kept
from ivr.traffic.talks import Chat, Known, joined

RETENTION = 395 * DAY  # 13 months: LivePerson keeps nothing longer
UNSET = (
    "not read: LIVEPERSON_ACCOUNT, LIVEPERSON_APP_KEY, LIVEPERSON_APP_SECRET, LIVEPERSON_ACCESS_TOKEN and "
    "LIVEPERSON_ACCESS_TOKEN_SECRET are not set"
)
SIMULATED = "not read: these calls are simulated, and LivePerson knows nothing of them"


class BrokenOff(Exception):
    """LivePerson did not tell all. One sentence: what came, and how to go on."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How numbers stand in the file: keyed, so that it tells nobody's."""

    secret: str

    def __call__(self, number: str) -> str:
        caller = cells.caller(number, "US")
        return self._digest(f"number {caller}") if caller else ""

    @property
    def key(self) -> str:
        return self._digest("which key")

    def _digest(self, text: str) -> str:
        return hmac.digest(self.secret.encode(), f"messaging {text}".encode(), hashlib.sha256).hex()[:32]


def fetched(kept: Kept, history: History, marks: Marks, period: Period, now: int) -> list[Chat]:
    """The conversations that began in the period; what is kept and settled is not asked for again."""
    oldest = max(period.begins, now - RETENTION)
    days = range(oldest // DAY, (min(period.ends, now) - 1) // DAY + 1)
    with _bar(len(days)) as moved:
        try:
            for place, each in enumerate(days):
                _day(kept, history, marks, each, now)
                moved(place + 1)
        except SendError as error:
            if error.permanent:
                raise BrokenOff(f"{error.reason}. `--messaging no` reports without LivePerson.") from None
            held = sum(len(one.chats) for _, one in kept.days())
            raise BrokenOff(
                f"{error.reason}. {held:,} conversations are kept; the same command goes on where this one stopped, "
                "`--messaging no` reports without them."
            ) from None
    # By its id: bounds are rounded outwards, so that the first of a day may come with the day before, too.
    inside = {chat.id: chat for each, one in kept.days() if each in days for chat in one.chats}
    return [chat for chat in inside.values() if period.begins <= chat.at < period.ends]


def _day(kept: Kept, history: History, marks: Marks, each: int, now: int) -> None:
    known = kept.day(each)
    if known.settled(each):
        return
    # What was broken off goes on; what was whole may have changed since.
    if known.whole:
        known = kept.again(each)
    while not known.whole:
        page = history.page(each * DAY, (each + 1) * DAY, known.offset, marks)
        reached = known.offset + page.records
        known = kept.add(each, now, reached, not page.records or reached >= page.count, page.chats)


def with_messaging(
    material: Material, chats: list[Chat], period: Period, others: frozenset[str], marks: Callable[[str], str], now: int
) -> Material:
    """The material with what LivePerson keeps. `others`: its ids of conversations of other brands here."""
    known = Known(material.talks, {event.caller for event in material.events}, others, marks)
    talks, told = joined(chats, known, period.month)
    notes = []
    if period.begins < now - RETENTION:
        kept_from = day(now - RETENTION, period.zone)
        notes.append(f"LivePerson keeps conversations for 13 months: its figures begin on {kept_from}.")
    return replace(material, talks=talks, messaging=replace(told, notes=notes))


@contextmanager
def _bar(days: int) -> Iterator[Callable[[int], None]]:
    """On stderr, and where that is a terminal alone."""
    console = Console(stderr=True)
    shown = (TextColumn("asking LivePerson"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=days)
        yield lambda reached: progress.update(task, completed=reached)


def kept_in(named: str | None, account: str) -> Path | None:
    """Where conversations are kept; None where they are not wanted."""
    return None if named == "no" else Path(named or f"liveperson-{account}.jsonl")
