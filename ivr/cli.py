"""Every command: thin, each calls one room. Results go to stdout, everything else to stderr."""

import argparse
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from ivr import config, numbers, picture
from ivr.deployment import commands as deployment
from ivr.deployment.doctor import new_key
from ivr.flow import graph, json_schema
from ivr.flow.findings import Finding
from ivr.flow.load import files_in, load, load_directory
from ivr.flow.shown import shown
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
    except (config.SettingsError, CannotStart, TownError, picture.NoPicture) as error:
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
    check.add_argument("--schema", action="store_true", help="print the JSON Schema of a flow file instead")
    check.set_defaults(command=_check)
    database = commands.add_parser("db", help="the database's schema").add_subparsers(required=True, metavar="ACTION")
    database.add_parser("upgrade", help="bring it to this release").set_defaults(command=_db_upgrade)
    worker = commands.add_parser("worker", help="deliver what the web processes left")
    act = worker.add_mutually_exclusive_group()
    act.add_argument("--requeue", metavar="ID", help="let a dead text be tried again")
    act.add_argument("--list", action="store_true", help="print what waits, and why")
    worker.set_defaults(command=_worker)
    draw = commands.add_parser("graph", help="draw a brand's call tree, as Mermaid text")
    draw.add_argument("brand", metavar="BRAND")
    draw.add_argument("--svg", type=Path, metavar="FILE", help="write it as SVG instead; needs Graphviz's dot")
    draw.set_defaults(command=_graph)
    _add_call(commands.add_parser("call", help="play a call against the real app, Twilio simulated"))
    doctor = commands.add_parser("doctor", help="check this deployment, and say what mends it")
    doctor.add_argument("--new-key", metavar="BRAND", help="make an API key for a brand, or * for every")
    doctor.set_defaults(command=_doctor)
    _add_numbers(commands.add_parser("numbers", help="the account's numbers, and where they lead"))
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


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="every number and where it leads").set_defaults(
        command=lambda _arguments: deployment.list_numbers(os.environ, _talk())
    )
    point = actions.add_parser("point", help="lead calls and texts to PUBLIC_URL")
    point.add_argument("--yes", action="store_true", help="do not ask")
    point.add_argument("--restore", metavar="JSON", help="what an earlier change printed, to undo it")
    point.add_argument("numbers", nargs="*", metavar="NUMBER", help="these alone; all that brands claim unless said")
    point.set_defaults(command=_point)


def _days(script: str) -> str:
    """A day, or a script of them: `busy,busy,up`."""
    unknown = [day for day in script.split(",") if day not in DAYS and script != "down"]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no kind of day; there are: {', '.join((*DAYS, 'down'))}")
    return script


def _check(arguments: argparse.Namespace) -> int:
    if arguments.schema:
        print(json_schema.written(), end="")
        return GOOD
    loaded = load(files_in(arguments.paths)) if arguments.paths else load_directory(config.flows_dir(os.environ))
    for finding in loaded.findings:
        _show_finding(finding)
    failed = loaded.findings if arguments.strict else loaded.errors
    warnings = len(loaded.findings) - len(loaded.errors)
    if not loaded.errors:
        said = f", {warnings} warning(s)" if warnings else ""
        print(f"{len(loaded.flows)} brand(s), no errors{said}", file=sys.stderr)
    return FAILED if failed else GOOD


def _show_finding(finding: Finding) -> None:
    """One line a finding in a pipe, for tools; on a terminal with its line of the file and a hint."""
    if not sys.stdout.isatty():
        print(finding)
        return
    Console(highlight=False).print(shown(finding), soft_wrap=True)


def _graph(arguments: argparse.Namespace) -> int:
    flows = load_directory(config.flows_dir(os.environ)).flows
    if arguments.brand not in flows:
        there = ", ".join(flows) or "none"
        print(f"{arguments.brand}: no such brand, or its file has an error; there are: {there}", file=sys.stderr)
        return FAILED
    drawn = graph.graph(flows[arguments.brand])
    if arguments.svg:
        arguments.svg.write_bytes(picture.svg(graph.dot(drawn)))
    else:
        print(graph.mermaid(drawn), end="")
    return GOOD


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


def _doctor(arguments: argparse.Namespace) -> int:
    if arguments.new_key is None:
        return deployment.doctor(os.environ, _talk())
    setting, key = new_key(os.environ, arguments.new_key, secrets.token_urlsafe(32))
    print(f"add to API_KEYS:             {setting}\nthe key, shown only this once: {key}")
    return GOOD


def _point(arguments: argparse.Namespace) -> int:
    if arguments.restore is None:
        return deployment.point(os.environ, arguments.numbers, arguments.yes, _talk())
    if arguments.numbers:
        _tell("--restore names its number itself; leave the numbers out.")
        return USAGE
    return deployment.restore(os.environ, arguments.restore, arguments.yes, _talk())


def _talk() -> deployment.Talk:
    ask = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return deployment.Talk(lambda line: print(line, flush=True), _tell, _asked if ask else None)


def _asked(question: str) -> bool:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


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
            call, _ = here.play(scene, _show, lambda: _unfinished(database))
            if waiting := _unfinished(database):
                print(f"{waiting} text(s) not known to be sent yet; a server would go on by itself.", file=sys.stderr)
            if arguments.record:
                arguments.record.write_text(here.webhooks.recorded(), encoding="utf-8")
    return FAILED if call.errors else GOOD


def _unfinished(database_url: str) -> int:
    with opened_once(database_url) as database, database.reads() as tx:
        return sum(row.state in outbox.UNFINISHED for row in outbox.waiting(tx))


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
