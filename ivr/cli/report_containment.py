"""`report containment`: whether people stopped calling, by branch and month."""

import argparse
import csv
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.progress import Progress
from sqlalchemy.engine import make_url

from ivr import config, numbers, secret_key
from ivr.cli import messaging
from ivr.cli.cells import cell
from ivr.cli.days import NoDay, day
from ivr.cli.ends import FAILED, GOOD, USAGE, tell
from ivr.clients.liveperson_history import History
from ivr.clients.oauth import Keys
from ivr.config import Settings
from ivr.flow.load import load_directory
from ivr.flow.model import Flow
from ivr.runtime import new_id, utc_now
from ivr.store import histories, schema, simulated
from ivr.store.database import opened_once
from ivr.traffic import cells, columns, contained, contained_html, contained_page, contained_rows, records
from ivr.traffic.contained import Containment, Material, Period, Talk
from ivr.traffic.kept_chats import Kept
from ivr.traffic.occasions import SETTLED, Event
from ivr.traffic.opened import BrokenFile
from ivr.traffic.talks import Messaging


class _Wrong(Exception):
    """An option that cannot be: one sentence."""


def add(reports: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = reports.add_parser("containment", help="who called again after a text, and what that saved")
    parser.add_argument("--brand", metavar="BRAND", help="whose calls (the first of FLOWS_DIR)")
    parser.add_argument("--simulated", action="store_true", help="its simulated calls, which demo-data wrote")
    parser.add_argument("--months", type=int, default=3, metavar="N", help="whole months before this one (3)")
    parser.add_argument("--until", metavar="DATE", help="as it was known on this day (now)")
    parser.add_argument(
        "--calls", type=Path, metavar="CALLS.csv", help="the brand's records: calls to any of its lines"
    )
    parser.add_argument("--map", action="append", default=[], metavar="ROLE=COLUMN", help=", ".join(columns.ROLES))
    parser.add_argument("--timezone", metavar="ZONE", help="of times without a zone in CALLS.csv (the brand's)")
    parser.add_argument("--region", default="US", metavar="CC", help="of numbers without a country code there (US)")
    parser.add_argument(
        "--messaging", metavar="FILE", help="keeps what LivePerson tells (liveperson-ACCOUNT.jsonl); no: do not ask it"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as one page to read and print")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every figure as CSV")
    parser.set_defaults(command=_containment)


def _containment(arguments: argparse.Namespace) -> int:
    try:
        report = _report(arguments)
    except (_Wrong, NoDay, columns.NoSuchColumn) as error:
        tell(str(error))
        return USAGE
    except (BrokenFile, messaging.BrokenOff, secret_key.NoSecretKey) as error:
        tell(str(error))
        return FAILED
    for line in contained_page.page(report):
        print(line)
    try:
        if arguments.csv:
            _write_csv(arguments.csv, contained_rows.rows(report))
        if arguments.html:
            arguments.html.write_text(contained_html.page(report), encoding="utf-8")
    except OSError as error:
        tell(f"{error.filename}: cannot be written ({error.strerror}).")
        return FAILED
    return GOOD


def _report(arguments: argparse.Namespace) -> Containment:
    settings = config.read(os.environ)
    flow = _flow(load_directory(settings.flows_dir).flows, arguments.brand)
    zone = ZoneInfo(flow.timezone)
    period = _period(arguments, zone, utc_now())
    brand = simulated.marked(flow.id) if arguments.simulated else flow.id
    with opened_once(settings.database_url) as database:
        if settings.sqlite:
            schema.upgrade(database)
        with database.reads() as tx:
            material = _material(tx, brand, period)
            others = frozenset(histories.of_other_brands(tx, brand))
    if arguments.calls:
        with _bar(arguments.calls) as moved:
            asked = records.Asked(
                _zone(arguments.timezone, zone),
                columns.parsed_map(arguments.map),
                _region(arguments.region),
                int(utc_now().timestamp()),
            )
            told = records.read(arguments.calls, asked, {event.caller for event in material.events}, moved)
        for line in told.said:
            tell(line)
        material, period = records.with_records(material, told, period)
    material = _with_messaging(settings, arguments, material, _Asked(period, others))
    return contained.containment(brand, material, period, flow.costs, arguments.simulated)


class _Asked(NamedTuple):
    period: Period
    others: frozenset[str]


def _with_messaging(settings: Settings, arguments: argparse.Namespace, material: Material, asked: _Asked) -> Material:
    """With LivePerson's conversations, or with why they are not known."""
    place = messaging.kept_in(arguments.messaging, settings.liveperson_account)
    unread = (
        messaging.SIMULATED if arguments.simulated
        else messaging.UNSET if not all(settings.liveperson_records)
        else "" if place else "not read: --messaging no"
    )  # fmt: skip
    if unread or place is None:
        return replace(material, messaging=Messaging(unread))
    now = int(utc_now().timestamp())
    marks = messaging.Marks(settings.secret_key or _kept_secret_key(settings))
    history = History(
        settings.liveperson_account, settings.liveperson_api_url, Keys(*settings.liveperson_records),
        new_id, utc_now, time.monotonic, time.sleep,
    )  # fmt: skip
    try:
        kept = Kept(place, settings.liveperson_account, marks.key)
        chats = messaging.fetched(kept, history, marks, asked.period, now)
    except OSError as error:
        raise BrokenFile(f"{place}: cannot be written ({error.strerror}).") from None
    return messaging.with_messaging(material, chats, asked.period, asked.others, marks, now)


def _kept_secret_key(settings: Settings) -> str:
    return secret_key.kept_beside(Path(make_url(settings.database_url).database or ""))


def _flow(flows: Any, named: str | None) -> Flow:
    brand = named or next(iter(flows), "")
    if brand not in flows:
        raise _Wrong(f"{brand or 'no brand'}: not in FLOWS_DIR; there are {', '.join(flows) or 'none'}")
    flow: Flow = flows[brand]
    return flow


def _period(arguments: argparse.Namespace, zone: tzinfo, now: datetime) -> Period:
    """Whole months. It ends now at the latest: what is not over yet nobody can know; simulated days may be to come."""
    months, until = arguments.months, arguments.until
    if not 1 <= months <= 36:
        raise _Wrong(f"--months {months}: 1 to 36")
    given = day("--until", until) if until else None
    ends = datetime(given.year, given.month, given.day, tzinfo=zone) if given else now
    ends = ends if arguments.simulated else min(ends, now)
    local = ends.astimezone(zone)
    months_in_all = local.year * 12 + local.month - 1 - months
    begins = datetime(months_in_all // 12, months_in_all % 12 + 1, 1, tzinfo=zone)
    return Period(int(begins.timestamp()), int(ends.timestamp()), zone)


def _material(tx: Any, brand: str, period: Period) -> Material:
    """Calls of a week before, too: they have begun occasions that go on."""
    since = datetime.fromtimestamp(period.begins, UTC)
    who = cells.Remembered(partial(cells.caller, region="US"))
    events, withheld = [], 0
    for call in histories.of_calls(tx, brand, since - timedelta(seconds=SETTLED)):
        at, caller = int(call.at.timestamp()), who[call.caller]
        if at >= period.ends:
            continue
        if caller is None:
            withheld += 1
        else:
            events.append(Event(caller, at, call.branch, call.group, call.stays))
    talks = [
        Talk(talk.number, int(talk.at.timestamp()), talk.branch, talk.desk_id, talk.desk_consumer)
        for talk in histories.of_conversations(tx, brand)
    ]
    texts = [(int(text.at.timestamp()), text.branch) for text in histories.of_texts(tx, brand, since)]
    return Material(events, [talk for talk in talks if talk.at < period.ends], texts, withheld)


def _zone(name: str | None, brand_s: ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else brand_s
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _Wrong(f"--timezone {name}: no such time zone, write one like America/New_York") from None


def _region(text: str) -> str:
    if text.upper() not in numbers.REGIONS:
        raise _Wrong(f"--region {text}: no such region, write one like US")
    return text.upper()


@contextmanager
def _bar(path: Path) -> Iterator[Any]:
    """On stderr, and where that is a terminal alone."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BrokenFile(f"{path}: cannot be read ({error.strerror}).") from None
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading", total=size)
        yield lambda read: progress.update(task, completed=read)


def _write_csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> object:
    """A figure below zero is a number, no formula."""
    return value if isinstance(value, int | float) else cell(value)
