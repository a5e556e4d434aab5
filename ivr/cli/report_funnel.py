"""`report funnel` and `report rebuild`: what came of the calls, from the counts; and the counts made anew."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ivr import config
from ivr.cli.ends import GOOD, USAGE, tell
from ivr.flow.load import load_directory
from ivr.flow.model import Flow
from ivr.funnel import asked, goals, tables
from ivr.funnel.reasons import reason
from ivr.funnel.told import RATES, Funnel, Line, failures, funnel
from ivr.relay.wishes import STOP_WORDS
from ivr.runtime import utc_now
from ivr.spreadsheet import as_csv
from ivr.store import counted, counts, simulated
from ivr.store.count_tables import MEASURES
from ivr.store.counts import Counting
from ivr.store.database import opened_once

_SHARES = (
    "In brackets: the share of the step before it, and its 95% interval; failed: of accepted; read: of those delivered "
    "by WhatsApp or RCS, which alone tell."
)


def add(reports: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    one = reports.add_parser("funnel", help="calls, offers, texts, replies, conversations, and their rates")
    for name in asked.ONLY:
        one.add_argument(f"--{name}", metavar=name.upper(), help=f"this {name} alone")
    one.add_argument("--by", choices=asked.BY, default="branch", help="a line a branch (unless said), day …")
    one.add_argument("--since", metavar="DAY", help="the first day, like 2026-03-02")
    one.add_argument("--until", metavar="DAY", help="the last day; today unless said")
    one.add_argument("--timezone", metavar="ZONE", help="of the days; the brand's, or UTC over several")
    form = one.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print the lines as CSV")
    form.add_argument("--json", action="store_true", help="print everything as JSON")
    one.set_defaults(command=_funnel)
    anew = reports.add_parser("rebuild", help="count everything again from the rows")
    anew.add_argument("--since", metavar="DAY", help="from this day (UTC) on")
    anew.set_defaults(command=_rebuild)


def _funnel(arguments: argparse.Namespace) -> int:
    settings, now = config.read(os.environ), utc_now()
    flows = load_directory(settings.flows_dir).flows
    given = {name: getattr(arguments, name) or "" for name in (*asked.ONLY, "by", "since", "until")}
    try:
        question = asked.asked(given, _zone(arguments, flows), now)
    except asked.BadQuestion as error:
        tell(str(error))
        return USAGE
    with opened_once(settings.database_url) as database:
        counts.roll_up(database, counting(flows), now)
        with database.reads() as tx:
            one, reasons = funnel(tx, question), failures(tx, question)
            brands = counted.choices(tx, question.wanted)["brand"]
            judged, _ = goals.of_flow(tx, flows.get(question.only.get("brand", "").partition("~")[0]), question, now)
    if arguments.json:
        print(json.dumps(tables.as_json(one, reasons, judged), indent=2, ensure_ascii=False))
    elif arguments.csv:
        print(as_csv(tables.as_rows(one)), end="")
    else:
        _print(one, reasons, judged)
        if "brand" not in question.only and any(map(simulated.is_marked, brands)):
            print("Simulated traffic is among these numbers; --brand tells it apart.")
    return GOOD


def _rebuild(arguments: argparse.Namespace) -> int:
    settings, now = config.read(os.environ), utc_now()
    try:
        day = asked.day("since", arguments.since) if arguments.since else None
    except asked.BadQuestion as error:
        tell(str(error))
        return USAGE
    since = datetime.combine(day, time(), UTC) if day else None
    console = Console(stderr=True)
    with opened_once(settings.database_url) as database, Progress(console=console, transient=True) as progress:
        bar = progress.add_task("counting", total=counts.how_many(database, now, since))
        flows = load_directory(settings.flows_dir).flows
        hours = counts.rebuild(database, counting(flows), now, since, lambda many: progress.advance(bar, many))
    tell(f"{hours:,} hours are counted anew.")
    return GOOD


def counting(flows: Mapping[str, Flow]) -> Counting:
    return Counting({brand: flow.language for brand, flow in flows.items()}, STOP_WORDS)


def _zone(arguments: argparse.Namespace, flows: Mapping[str, Flow]) -> ZoneInfo:
    flow = flows.get(arguments.brand or "") or (next(iter(flows.values())) if len(flows) == 1 else None)
    name = arguments.timezone or (flow.timezone if flow else "UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise asked.BadQuestion(f"--timezone {name}: no such time zone, write one like America/New_York.") from None


def _print(one: Funnel, reasons: list[tuple[str, int]], judged: list[goals.Judged]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 170, markup=False, highlight=False, emoji=False)
    span = f"{one.asked.first} to {one.asked.last} ({one.asked.zone})"
    only = "".join(f", {column} {value}" for column, value in one.asked.only.items())
    console.print(f"What came of the calls, {span}{only}")
    table = Table(box=None, pad_edge=False)
    table.add_column(one.asked.by)
    for step in MEASURES:
        table.add_column(step, justify="right")
    for line in (*one.lines, one.total):
        table.add_row(line.label, *(_cell(line, step) for step in MEASURES))
    console.print(table)
    console.print(_SHARES)
    for each in judged:
        console.print(f"Goal of {each.whose}, {each.goal}: {each.verdict}, {each.reached}")
    for word, many in reasons:
        console.print(f"{many:>7,} failed: {word}: {reason(word)}")


def _cell(line: Line, step: str) -> str:
    rate = line.rate(step) if step in RATES else None
    share = f"\n({rate.middle:.0%}, {rate.low:.0%}-{rate.high:.0%})" if rate else ""
    many = line.many(step)
    return "-" if many is None else f"{many:,}{share}"
