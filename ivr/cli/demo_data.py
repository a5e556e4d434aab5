"""`demo-data`: months of simulated traffic in the database, marked as such, to look at reports and pages with."""

import argparse
import itertools
import os
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ivr import config
from ivr.cli.days import NoDay, day
from ivr.cli.ends import GOOD, USAGE, tell
from ivr.flow import aims
from ivr.flow.load import load_directory
from ivr.flow.model import Flow
from ivr.runtime import utc_now
from ivr.store import counts, schema, simulated
from ivr.store.database import Database, opened_once
from ivr.store.simulated import Chapter
from ivr.traffic import field, world
from ivr.traffic.world import World

_A_CHAPTER = 2_000  # calls in one transaction: live calls wait for no longer
_MOST = 10_000_000
_A_MONTH = 30.44


class _Wrong(Exception):
    """An option that cannot be: one sentence."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("demo-data", help="simulated months of traffic, marked as such, in the database")
    parser.add_argument("--brand", metavar="BRAND", help="whose branches call (the first of FLOWS_DIR)")
    parser.add_argument("--calls", type=int, default=100_000, metavar="N", help="how many (100000)")
    parser.add_argument("--months", type=int, default=4, metavar="N", help="over how many months (4)")
    parser.add_argument("--until", metavar="DATE", help="the day after the last one (today)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one, other calls (1)")
    parser.add_argument(
        "--containment", default="70%", metavar="RATE", help="texted callers who do not call again in 7 days (70%%)"
    )
    parser.add_argument("--share", metavar="RATE", help="of callers who hear the offers (the file's, else 90%%)")
    parser.add_argument("--remove", action="store_true", help="take the brand's simulated rows away again")
    parser.set_defaults(command=_demo_data)


def _demo_data(arguments: argparse.Namespace) -> int:
    settings = config.read(os.environ)
    try:
        flow = _flow(load_directory(settings.flows_dir).flows, arguments.brand)
        here = _world(flow, arguments)
    except (_Wrong, NoDay, field.BadFigure) as error:
        tell(str(error))
        return USAGE
    marked = simulated.marked(flow.id)
    with opened_once(settings.database_url) as database:
        if settings.sqlite:
            schema.upgrade(database)
        with database.writes() as tx:
            simulated.remove(tx, marked)
        if arguments.remove:
            tell(f"{marked}: its rows are gone.")
            return GOOD
        _write(database, flow, here, arguments)
        with database.writes() as tx:
            counts.begin_anew(tx)
    tell(f"{marked}: {arguments.calls:,} simulated calls are written; --remove takes them away.")
    tell("True effect: " + "; ".join(_truth(here)))
    return GOOD


def _flow(flows: Mapping[str, Flow], named: str | None) -> Flow:
    brand = named or next(iter(flows), "")
    if brand not in flows:
        raise _Wrong(f"{brand or 'no brand'}: not in FLOWS_DIR; there are {', '.join(flows) or 'none'}")
    if len(brand) > simulated.LONGEST:
        raise _Wrong(f"{brand}: too long to be marked as simulated; {simulated.LONGEST} characters at most")
    return flows[brand]


def _world(flow: Flow, arguments: argparse.Namespace) -> World:
    if not 1 <= arguments.calls <= _MOST:
        raise _Wrong(f"--calls {arguments.calls}: 1 to {_MOST:,}")
    if not 1 <= arguments.months <= 36:
        raise _Wrong(f"--months {arguments.months}: 1 to 36")
    shares = [branch.share for branch in flow.branches.values() if branch.share < 1]
    said = 1.0 if arguments.share == "100%" else field.share("share", arguments.share) if arguments.share else None
    seed = str(arguments.seed)
    return World(
        habits=world.habits(list(flow.branches), random.Random(f"habits {flow.id} {seed}")),
        until=_until(arguments.until),
        days=round(arguments.months * _A_MONTH),
        zone=ZoneInfo(flow.timezone),
        containment=field.share("containment", arguments.containment),
        share=said or min(shares, default=0.9),
        lot=lambda caller: aims.lot(seed, flow.id, caller),
    )


def _until(text: str | None) -> datetime:
    last = day("--until", text) if text else utc_now().date()
    return datetime(last.year, last.month, last.day, tzinfo=UTC)


def _write(database: Database, flow: Flow, here: World, arguments: argparse.Namespace) -> None:
    told: Iterator[world.Simulated] = world.calls(here, arguments.calls, random.Random(f"calls {arguments.seed}"))
    rows = random.Random(f"rows {flow.id} {arguments.seed}")
    dialled = next(iter(flow.numbers), "+12005550199")
    channels = {name: branch.channels for name, branch in flow.branches.items()}
    console = Console(stderr=True)
    shown = (TextColumn("writing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=arguments.calls)
        for first in range(0, arguments.calls, _A_CHAPTER):
            part = list(itertools.islice(told, _A_CHAPTER))
            run = f"{flow.id}:{arguments.seed}"
            chapter = Chapter(simulated.marked(flow.id), run, dialled, first, part, rows, channels)
            with database.writes() as tx:
                simulated.write(tx, chapter)
            progress.update(task, advance=len(part))


def _truth(here: World) -> Iterator[str]:
    for habit in here.habits:
        yield f"{habit.branch}: {world.saved(here, habit):.4f} calls saved for each offer heard"
