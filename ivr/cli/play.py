"""`call` and `demo`: a call against the real server, Twilio and the desk simulated."""

import argparse
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ivr import config, numbers
from ivr.cli.ends import FAILED, GOOD, tell
from ivr.cli.keys import pressed
from ivr.flow.load import load_directory
from ivr.runtime import utc_now
from ivr.sandbox.apps import DEVICE, with_app
from ivr.sandbox.carrier import CALLBACKS, HANDSETS
from ivr.sandbox.demo import demo
from ivr.sandbox.desk import DAYS as DESK_DAYS
from ivr.sandbox.moment import moment
from ivr.sandbox.phone import AGENTS
from ivr.sandbox.rest import DAYS
from ivr.sandbox.scene import CALLER, Scene, TownError
from ivr.sandbox.town import free_port, town
from ivr.sandbox.transcript import Event
from ivr.store import consumers, expectations, outbox
from ivr.store.consumers import Consumer
from ivr.store.database import opened_once

WITH_APP = ("app", "app-gone")
COLOURS = {
    "call": "dim",
    "caller": "cyan",
    "ivr": "green",
    "text": "bold magenta",
    "push": "bold magenta",
    "consumer": "bold cyan",
    "desk": "dim",
    "agent": "bold yellow",
}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add_call(commands.add_parser("call", help="play a call against the real app, Twilio simulated"))
    commands.add_parser("demo", help="play a whole call, then serve the sandbox").set_defaults(command=_demo)


def add_call(call: argparse.ArgumentParser) -> None:
    call.add_argument("brand", metavar="BRAND")
    call.add_argument("branch", metavar="BRANCH", nargs="?", default="", help="straight to this branch")
    call.add_argument("--from", dest="caller", default=CALLER, metavar="NUMBER", help="who calls")
    call.add_argument("--dial", default="", metavar="NUMBER", help="the number dialled; the brand's first unless said")
    how = "2,1: one item a prompt; empty: silence; h: hang up"
    call.add_argument("--press", type=pressed, default="", metavar="KEYS", help=how)
    call.add_argument("--text", nargs="+", action="extend", default=[], metavar="BODY", help="what the consumer texts")
    call.add_argument("--agent", nargs="+", action="extend", default=[], metavar="BODY", help="what the agent answers")
    call.add_argument(
        "--desk",
        type=_desk_days,
        default="up",
        metavar="DAYS",
        help=f"LivePerson's, one a request: {', '.join(DESK_DAYS)}",
    )
    call.add_argument("--handset", choices=sorted(HANDSETS), default="mobile", metavar="KIND", help=", ".join(HANDSETS))
    call.add_argument(
        "--twilio", type=_days, default="up", metavar="DAYS", help=f"one a text: {', '.join((*DAYS, 'down'))}"
    )
    call.add_argument("--callbacks", choices=CALLBACKS, default="prompt", metavar="HOW", help=", ".join(CALLBACKS))
    call.add_argument("--agents", choices=AGENTS, default="free", metavar="HOW", help=", ".join(AGENTS))
    call.add_argument("--wait", type=float, default=120.0, metavar="SECONDS", help="how long the caller holds the line")
    call.add_argument(
        "--at", default="", metavar="TIME", help='the brand\'s local time: "2026-12-25 10:00", "Sat 22:30"'
    )
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


def _desk_days(script: str) -> str:
    if unknown := [day for day in script.split(",") if day not in DESK_DAYS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no kind of day; there are: {', '.join(DESK_DAYS)}")
    return script


def _call(arguments: argparse.Namespace) -> int:
    scene = Scene(
        brand=arguments.brand,
        branch=arguments.branch,
        caller=arguments.caller,
        dialled=arguments.dial,
        keys=arguments.press,
        texts=arguments.text,
        answers=arguments.agent,
        desk=arguments.desk,
        handset=arguments.handset,
        twilio=arguments.twilio,
        callbacks=arguments.callbacks,
        agents=arguments.agents,
        holds=arguments.wait,
    )
    print("A simulation: the server is real; Twilio, the phones and the people are not.", file=sys.stderr)
    flows_dir, down, ahead = config.flows_dir(os.environ), arguments.twilio == "down", _ahead(arguments)
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        database = f"sqlite:///{place / 'ivr.db'}"
        port = free_port()
        if arguments.handset in WITH_APP:
            flows_dir = _app(arguments.brand, port, place)
        log = place / "server.log"
        with town(flows_dir, database, log, sandbox_port=port, down=down, ahead=ahead) as here:
            if arguments.handset in WITH_APP:
                _enrol(database, arguments.brand, arguments.caller)
            if arguments.record:
                arguments.record.touch()  # a path that cannot be written is said before the call, not after
            waiting = Rows(database)
            call, _ = here.play(scene, _show, waiting)
            if left := waiting.unfinished():
                print(f"{left} text(s) not known to be sent yet; a server would go on by itself.", file=sys.stderr)
            if arguments.record:
                arguments.record.write_text(here.webhooks.recorded(), encoding="utf-8")
    return FAILED if call.errors else GOOD


def _app(brand: str, port: int, place: Path) -> Path:
    """The brands' files as the town plays them to somebody who uses the app."""
    to = place / "flows"
    if with_app(config.flows_dir(os.environ), brand, f"http://127.0.0.1:{port}", to):
        tell(f"{brand} has no app: played as if its file said `push: {{webhook: …}}` and `channels: [push, sms]`.")
    return to


def _enrol(database_url: str, brand: str, caller: str) -> None:
    number = numbers.read(caller)
    if number is None:
        return
    device = Consumer(brand, number.e164, DEVICE, "android", "C-1", True, None)
    with opened_once(database_url) as database, database.writes() as tx:
        consumers.write(tx, [device], utc_now())


def _ahead(arguments: argparse.Namespace) -> timedelta:
    """How far the time of the scene is from now."""
    if not arguments.at:
        return timedelta()
    flow, now = load_directory(config.flows_dir(os.environ)).flows.get(arguments.brand), utc_now()
    at = moment(arguments.at, flow.timezone if flow else "UTC", now)
    if at is None:
        raise TownError(f'{arguments.at[:40]}: no time; write one like "2026-12-25 10:00" or "Sat 22:30"')
    return at - now


@dataclass(frozen=True, slots=True)
class Rows:
    """What the server has still to do, read from its database."""

    url: str

    def unfinished(self) -> int:
        with opened_once(self.url) as database, database.reads() as tx:
            # A receipt that comes too late is nobody's loss.
            return sum(row.state in outbox.UNFINISHED and row.kind != "receipt" for row in outbox.waiting(tx))

    def next_at(self) -> datetime | None:
        with opened_once(self.url) as database, database.reads() as tx:
            return expectations.next_at(tx)


def _demo(_arguments: argparse.Namespace) -> int:
    port, sandbox_port = config.demo_ports(os.environ)
    once = os.environ.get("ONCE") == "1"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(GOOD))  # not only Ctrl-C takes the server along
    return GOOD if demo(config.flows_dir(os.environ), port, sandbox_port, _show, tell, once) else FAILED


def _show(event: Event) -> None:
    """A line of the transcript: plain in a pipe, coloured on a terminal."""
    if not sys.stdout.isatty():
        print(event, flush=True)
        return
    Console(highlight=False).print(Text(str(event), style=COLOURS.get(event.who, "")), soft_wrap=True)
