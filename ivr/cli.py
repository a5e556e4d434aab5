"""Every command: thin, each calls one room. Results go to stdout, everything else to stderr."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from ivr import config, numbers
from ivr.flow.load import files_in, load, load_directory
from ivr.runtime import CannotStart, prepare, utc_now
from ivr.sandbox.carrier import CALLBACKS, HANDSETS
from ivr.sandbox.demo import demo
from ivr.sandbox.phone import AGENTS
from ivr.sandbox.rest import DAYS
from ivr.sandbox.scene import CALLER, Scene, TownError
from ivr.sandbox.town import town
from ivr.sandbox.transcript import Event
from ivr.store import outbox, schema
from ivr.store.database import opened_once
from ivr.worker import Worker

GOOD, FAILED, USAGE = 0, 1, 2
COLOURS = {"call": "dim", "caller": "cyan", "ivr": "green", "text": "bold magenta", "consumer": "bold cyan"}


def main(arguments: Sequence[str]) -> int:
    """Run one command. 0: good, 1: a finding or a failure, 2: wrong usage."""
    parsed = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        return command(parsed)
    except (config.SettingsError, CannotStart, TownError) as error:
        print(error, file=sys.stderr)
        return FAILED
    except (SQLAlchemyError, OSError) as error:
        print(
            f"{type(error).__name__}: the database or a file cannot be used; check DATABASE_URL and the path.",
            file=sys.stderr,
        )
        return FAILED
    except KeyboardInterrupt:
        return GOOD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ivr", description="The IVR deflection server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="validate flow files")
    check.add_argument("--strict", action="store_true", help="fail on a warning too")
    check.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files or directories; FLOWS_DIR unless said"
    )
    check.set_defaults(command=_check)
    database = commands.add_parser("db", help="the database's schema").add_subparsers(required=True, metavar="ACTION")
    database.add_parser("upgrade", help="bring it to this release").set_defaults(command=_db_upgrade)
    worker = commands.add_parser("worker", help="deliver what the web processes left")
    act = worker.add_mutually_exclusive_group()
    act.add_argument("--requeue", metavar="ID", help="let a dead text be tried again")
    act.add_argument("--list", action="store_true", help="print what waits, and why")
    worker.set_defaults(command=_worker)
    _add_call(commands.add_parser("call", help="play a call against the real app, Twilio simulated"))
    commands.add_parser("demo", help="play a whole call, then serve the sandbox").set_defaults(command=_demo)
    return parser


def _add_call(call: argparse.ArgumentParser) -> None:
    call.add_argument("brand", metavar="BRAND")
    call.add_argument("branch", metavar="BRANCH", nargs="?", default="", help="straight to this branch")
    call.add_argument("--from", dest="caller", default=CALLER, metavar="NUMBER", help="who calls")
    call.add_argument("--dial", default="", metavar="NUMBER", help="the number dialled; the brand's first unless said")
    call.add_argument("--press", default="", metavar="KEYS", help="2,1: one item a prompt; empty: silence; h: hang up")
    call.add_argument("--text", nargs="+", action="extend", default=[], metavar="BODY", help="what the consumer texts")
    call.add_argument("--handset", choices=sorted(HANDSETS), default="mobile", metavar="KIND", help=", ".join(HANDSETS))
    call.add_argument(
        "--twilio", type=_days, default="up", metavar="DAYS", help=f"one a text: {', '.join((*DAYS, 'down'))}"
    )
    call.add_argument("--callbacks", choices=CALLBACKS, default="prompt", metavar="HOW", help=", ".join(CALLBACKS))
    call.add_argument("--agents", choices=AGENTS, default="free", metavar="HOW", help=", ".join(AGENTS))
    call.add_argument("--wait", type=float, default=120.0, metavar="SECONDS", help="how long the caller holds the line")
    call.add_argument(
        "--record", type=Path, metavar="FILE", help="write every webhook and its answer, a JSON line each"
    )
    call.set_defaults(command=_call)


def _days(script: str) -> str:
    """A day, or a script of them: `busy,busy,up`."""
    unknown = [day for day in script.split(",") if day not in DAYS and script != "down"]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no kind of day; there are: {', '.join((*DAYS, 'down'))}")
    return script


def _check(arguments: argparse.Namespace) -> int:
    loaded = load(files_in(arguments.paths)) if arguments.paths else load_directory(config.flows_dir(os.environ))
    for finding in loaded.findings:
        print(finding)
    failed = loaded.findings if arguments.strict else loaded.errors
    if not failed:
        print(f"{len(loaded.flows)} brand(s), no errors", file=sys.stderr)
    return FAILED if failed else GOOD


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
                row.id, row.state, numbers.masked(row.number), f"{row.attempts} attempts", code, row.next_try, sep="  "
            )
    return GOOD


def _requeue(message_id: str) -> int:
    with opened_once(config.read(os.environ).database_url) as database, database.writes() as tx:
        if outbox.requeue(tx, message_id, utc_now()):
            print(f"{message_id} is due again.", file=sys.stderr)
            return GOOD
    print(f"{message_id}: no dead text has this id; --list shows them.", file=sys.stderr)
    return FAILED


def _call(arguments: argparse.Namespace) -> int:
    scene = Scene(
        brand=arguments.brand,
        branch=arguments.branch,
        caller=arguments.caller,
        dialled=arguments.dial,
        keys=arguments.press.split(","),
        texts=arguments.text,
        handset=arguments.handset,
        twilio=arguments.twilio,
        callbacks=arguments.callbacks,
        agents=arguments.agents,
        holds=arguments.wait,
    )
    print("A simulation: the server is real; Twilio, the phones and the people are not.", file=sys.stderr)
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        database = f"sqlite:///{place / 'ivr.db'}"
        with town(
            config.flows_dir(os.environ), database, place / "server.log", down=arguments.twilio == "down"
        ) as here:
            if arguments.record:
                arguments.record.touch()  # a path that cannot be written is said before the call, not after
            call, _ = here.play(scene, _show)
            if arguments.record:
                arguments.record.write_text(here.webhooks.recorded(), encoding="utf-8")
    return FAILED if call.errors else GOOD


def _demo(_arguments: argparse.Namespace) -> int:
    port, sandbox_port = config.demo_ports(os.environ)
    once = os.environ.get("ONCE") == "1"
    return GOOD if demo(config.flows_dir(os.environ), port, sandbox_port, _show, _tell, once) else FAILED


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(event: Event) -> None:
    """A line of the transcript: plain in a pipe, coloured on a terminal."""
    if not sys.stdout.isatty():
        print(event, flush=True)
        return
    Console(highlight=False).print(Text(str(event), style=COLOURS.get(event.who, "")), soft_wrap=True)
