"""`db`, `worker` and `export`: the database, what waits in it, and what is taken along from it."""

import argparse
import csv
import os
import signal
import sys

from ivr import config, numbers
from ivr.cli.cells import cell
from ivr.cli.ends import FAILED, GOOD
from ivr.runtime import prepare, utc_now
from ivr.store import api_events, consent, outbox, schema
from ivr.store.database import opened_once
from ivr.worker import Worker

EXPORTS = {"consents": consent.consents, "opt-outs": consent.wishes}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    database = commands.add_parser("db", help="the database's schema").add_subparsers(required=True, metavar="ACTION")
    database.add_parser("upgrade", help="bring it to this release").set_defaults(command=_db_upgrade)
    worker = commands.add_parser("worker", help="deliver what the web processes left")
    act = worker.add_mutually_exclusive_group()
    act.add_argument("--requeue", metavar="ID", help="let a dead text be tried again")
    act.add_argument("--list", action="store_true", help="print what waits, and why")
    worker.set_defaults(command=_worker)
    export = commands.add_parser("export", help="consent on record, or who opted out, as CSV")
    export.add_argument("what", choices=EXPORTS, metavar="WHAT", help=" or ".join(EXPORTS))
    export.set_defaults(command=_export)


def _db_upgrade(_arguments: argparse.Namespace) -> int:
    with opened_once(config.read(os.environ).database_url) as database:
        schema.upgrade(database)
    print("The database has this release's schema.", file=sys.stderr)
    return GOOD


def _worker(arguments: argparse.Namespace) -> int:
    if arguments.list:
        return _list_outbox()
    if arguments.requeue:
        return _requeue(arguments.requeue)
    here = prepare(os.environ)
    worker = Worker(here)
    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ends, lambda *_: worker.end())
    worker.run_here()
    here.database.close()
    return GOOD


def _list_outbox() -> int:
    with opened_once(config.read(os.environ).database_url) as database, database.reads() as tx:
        for row in outbox.waiting(tx):
            code = f"error {row.error_code}" if row.error_code else "-"
            print(
                row.id,
                row.state,
                numbers.masked(row.number),
                f"{row.attempts} attempts",
                code,
                row.next_try,
                row.kind,
                sep="  ",
            )
    return GOOD


def _requeue(message_id: str) -> int:
    with opened_once(config.read(os.environ).database_url) as database, database.writes() as tx:
        now = utc_now()
        if outbox.requeue(tx, message_id, now):
            api_events.text_changed(tx, message_id, "pending", now)
            print(f"{message_id} is due again.", file=sys.stderr)
            return GOOD
    print(f"{message_id}: no dead text has this id; --list shows them.", file=sys.stderr)
    return FAILED


def _export(arguments: argparse.Namespace) -> int:
    """Whole numbers, for whoever must prove or obey what they say: it goes to stdout and nowhere else."""
    written = csv.writer(sys.stdout, lineterminator="\n")
    with opened_once(config.read(os.environ).database_url) as database, database.reads() as tx:
        for row in EXPORTS[arguments.what](tx):
            written.writerow([cell(value) for value in row])
    return GOOD
