"""`consumers import`: fills the embedded directory of who uses a brand's app."""

import argparse
import itertools
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from ivr import config, numbers
from ivr.cli.bar import bar
from ivr.cli.ends import FAILED, GOOD, USAGE, tell
from ivr.flow.load import load_directory
from ivr.runtime import utc_now
from ivr.store import consumers, schema
from ivr.store.consumers import Consumer
from ivr.store.database import Database, opened_once
from ivr.traffic.consumer_list import ConsumerList
from ivr.traffic.opened import BrokenFile
from ivr.traffic.rows import Reading

BATCH = 5_000  # devices in a transaction: a caller's yes waits for SQLite's lock some 50 ms at most


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    actions = commands.add_parser("consumers", help="who uses a brand's app").add_subparsers(
        required=True, metavar="ACTION"
    )
    command = actions.add_parser("import", help="fill the embedded directory from a CSV")
    command.add_argument("file", type=Path, metavar="FILE.csv")
    command.add_argument("--brand", default="", metavar="BRAND", help="whose app; needed where several brands push")
    command.add_argument("--region", default="US", metavar="CC", help="of numbers without a country code (US)")
    command.add_argument("--replace", action="store_true", help="drop devices that the file does not have")
    command.set_defaults(command=_import)


def _import(arguments: argparse.Namespace) -> int:
    brand = arguments.brand or _only_brand()
    flows = load_directory(config.flows_dir(os.environ)).flows
    if brand not in flows or arguments.region.upper() not in numbers.REGIONS:
        tell(f"Say whose app it is, --brand BRAND, one of: {', '.join(flows) or 'none'}; and --region as two letters.")
        return USAGE
    settings, began, now = config.read(os.environ), time.monotonic(), utc_now()
    try:
        with opened_once(settings.database_url) as database, bar(arguments.file) as moved:
            if settings.sqlite:
                schema.upgrade(database)
            listed = ConsumerList(arguments.file, arguments.region.upper(), moved)
            written = _written(database, _batches(brand, listed))
            dropped = _drop(database, brand, now, arguments.replace and not listed.reading.broken)
            with database.reads() as tx:
                there = consumers.count(tx, brand)
    except BrokenFile as error:
        tell(str(error))
        return FAILED
    _tell(listed.reading)
    if arguments.replace and listed.reading.broken:
        tell("Nothing was dropped: a row that cannot be read may be of a device that is still there.")
    print(f"{brand}: {written:,} devices written, {dropped:,} dropped, {there:,} in the directory now.")
    tell(f"{time.monotonic() - began:.1f} s")
    return FAILED if listed.reading.broken else GOOD


def _only_brand() -> str:
    """The brand that is meant when none is named: the one that pushes, or the only one."""
    flows = load_directory(config.flows_dir(os.environ)).flows
    pushing = [flow.id for flow in flows.values() if flow.push] or list(flows)
    return pushing[0] if len(pushing) == 1 else ""


def _batches(brand: str, listed: ConsumerList) -> Iterator[list[Consumer]]:
    found = (Consumer(brand, *device) for device in listed.listed())
    while batch := list(itertools.islice(found, BATCH)):
        yield batch


def _written(database: Database, batches: Iterator[list[Consumer]]) -> int:
    """While the database writes one batch the next one is read."""
    written = 0
    with ThreadPoolExecutor(1) as writer:
        under_way = writer.submit(_write, database, [])
        for batch in batches:
            written += under_way.result()
            under_way = writer.submit(_write, database, batch)
        return written + under_way.result()


def _write(database: Database, batch: list[Consumer]) -> int:
    with database.writes() as tx:
        return consumers.write(tx, batch, utc_now())


def _drop(database: Database, brand: str, began: datetime, wanted: bool) -> int:
    dropped, after = 0, "" if wanted else None
    while after is not None:
        with database.writes() as tx:
            some, after = consumers.drop_older(tx, brand, began, after, BATCH)
        dropped += some
    return dropped


def _tell(reading: Reading) -> None:
    for line in reading.named:
        tell(line)
    if reading.broken:
        more = f", the first {len(reading.named)} are named" if reading.broken > len(reading.named) else ""
        tell(f"{reading.broken:,} of {reading.read:,} rows cannot be read and are left out{more}.")
