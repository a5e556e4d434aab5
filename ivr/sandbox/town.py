"""The town: the real server as a process of its own, and a simulated Twilio that it talks to over loopback."""

import hashlib
import os
import random
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Lock, Thread

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from ivr import numbers
from ivr.flow.load import load_directory
from ivr.flow.model import Flow
from ivr.sandbox import apps as of_apps
from ivr.sandbox.account import account_api, account_for
from ivr.sandbox.ahead import Ahead
from ivr.sandbox.carrier import HANDSETS, Carrier
from ivr.sandbox.clock import Clock
from ivr.sandbox.desk import Desk
from ivr.sandbox.drafts import Drafts
from ivr.sandbox.late import AnsweredLater
from ivr.sandbox.later import Waiting, run_on
from ivr.sandbox.live import LivePhone
from ivr.sandbox.liveperson import liveperson_api
from ivr.sandbox.lookups import lookups_api
from ivr.sandbox.page import page
from ivr.sandbox.phone import Call
from ivr.sandbox.phone_box import phone_box
from ivr.sandbox.process import Process, running
from ivr.sandbox.rest import Weather, messages_api
from ivr.sandbox.scene import Scene, TownError
from ivr.sandbox.studio import SimulatedStudio, studio_api
from ivr.sandbox.talk import ARRIVES_WITHIN, Talk, wait
from ivr.sandbox.transcript import Event, Transcript
from ivr.sandbox.webhooks import Webhooks

ACCOUNT_SID = "AC" + "5a" * 16
AUTH_TOKEN = "a-simulated-account-has-no-secret"  # noqa: S105
SECRET_KEY = "a-simulated-town-has-no-secret-either"  # noqa: S105
LIVEPERSON_ACCOUNT = "12345678"
LIVEPERSON_CLIENT_ID = "5a5a5a5a-0000-4000-8000-000000000001"
LIVEPERSON_CLIENT_SECRET = "a-simulated-connector-has-none-either"  # noqa: S105
API_KEY = "a-simulated-ivr-has-no-secret-either"

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Town:
    flows: Mapping[str, Flow]
    webhooks: Webhooks
    carrier: Carrier
    transcript: Transcript
    log: Path  # the server's output
    database_url: str
    desk: Desk
    talk: Talk
    ahead: Ahead
    weather: Weather = field(default_factory=Weather)
    apps: of_apps.Apps = field(default_factory=of_apps.Apps)
    busy: Lock = field(default_factory=Lock)

    def play(
        self,
        scene: Scene,
        show: Callable[[Event], None] = lambda _event: None,
        waiting: Waiting | None = None,
        within: float = ARRIVES_WITHIN,
    ) -> tuple[Call, Transcript]:
        """One call, its texts, and what the consumer and the agent write afterwards.

        `waiting`: what the server has still to send, which is waited for `within` real seconds at most, and what it
        will have to say later, to which time then runs on.
        """
        with self.busy:
            flow = self.flows.get(scene.brand)
            if flow is None:
                raise TownError(f"{scene.brand}: no such brand; there are: {', '.join(self.flows) or 'none'}")
            if scene.branch and flow.place(scene.branch) is None:
                raise TownError(f"{scene.branch}: no such branch; there are: {', '.join(flow.branches)}")
            clock = Clock()
            self.transcript = Transcript(clock, show)
            self.weather.set(scene.twilio)
            self.carrier.clock, self.carrier.callbacks, self.desk.clock = clock, scene.callbacks, clock
            self.desk.set_days(scene.desk)
            caller = numbers.read(scene.caller)
            self.carrier.handset, self.carrier.owner = HANDSETS[scene.handset], caller.e164 if caller else None
            self.apps.installed = scene.handset != "app-gone"
            self.carrier.strict = scene.twilio == "strict"
            call, texts_before = self._call(flow, scene, clock), len(self.carrier.texts)
            call.play(_url(flow, scene))
            self.ahead.pass_(clock.now)
            if waiting:
                wait(clock, waiting.unfinished, within)
            texted = [text["to"] for text in self.carrier.texts[texts_before:]]
            self.talk.play(flow, scene, texted[-1] if texted else scene.caller, clock, self.ahead)
            self.desk.flush()
            clock.run_out()
            if waiting:
                self._run_on(clock, waiting, within, flow.timezone)
            return call, self.transcript

    def _run_on(self, clock: Clock, waiting: Waiting, within: float, zone: str) -> None:
        def settle() -> None:
            wait(clock, waiting.unfinished, within)
            self.desk.flush()

        settle()

        def tell(time: str) -> None:
            self.transcript.ahead_of_next = time

        run_on(clock, self.ahead, waiting, settle, tell, zone)

    def _call(self, flow: Flow, scene: Scene, clock: Clock) -> Call:
        dialled = scene.dialled or next(iter(flow.numbers), flow.sender.address)
        number = numbers.read(dialled)
        return Call(
            clock,
            self.webhooks,
            self.transcript,
            caller=scene.caller,
            dialled=number.e164 if number else dialled,
            keys=scene.keys,
            agents=scene.agents,
            holds=scene.holds,
        )


def _url(flow: Flow, scene: Scene) -> str:
    if scene.branch:
        return f"/voice/{flow.id}/{scene.branch}"
    return "/voice" if flow.numbers or scene.dialled else f"/voice/{flow.id}"


@contextmanager
def town(
    flows_dir: Path,
    database_url: str,
    log: Path,
    port: int = 0,
    sandbox_port: int = 0,
    down: bool = False,
    ahead: timedelta | None = None,
) -> Iterator[Town]:
    """A running town; it is gone when the block ends. `log`: where the server's output goes.

    `down`: nobody listens where the server looks for Twilio. `ahead`: how far everybody's clock is before the real one;
    where it is given, it passes as the scene's does.
    """
    port, sandbox_port = port or free_port(), sandbox_port or free_port()
    app_url = f"http://127.0.0.1:{port}"
    flows = load_directory(flows_dir).flows
    webhooks = Webhooks(app_url, app_url, ACCOUNT_SID, AUTH_TOKEN)
    clock = Clock()
    carrier = Carrier(clock, webhooks, received=lambda body: here.talk.received(body))
    carrier.rcs_services = frozenset(flow.sender.rcs for flow in flows.values() if flow.sender.rcs)
    desk = simulated_desk(clock, f"{app_url}/desk/liveperson")
    talk = Talk(carrier, desk, lambda who, what: here.transcript.add(who, what))
    calendar = Ahead(log.with_name("ahead"), ahead)
    carrier.now, desk.now = calendar, lambda: calendar().timestamp()
    desk.opened, desk.published = talk.opened, talk.published
    here = Town(flows, webhooks, carrier, Transcript(clock), log, database_url, desk, talk, calendar)
    twilio_port = free_port() if down else sandbox_port
    environment = _environment(flows_dir, database_url, port, twilio_port, sandbox_port)
    environment |= of_apps.environment(flows, sandbox_port)
    server = Process(environment, log, None if ahead is None else calendar)
    live = LivePhone(here, Drafts(flows_dir, log.with_name("flows"), server.restart))
    try:
        with _sandbox(_rest(here, live, app_url), sandbox_port), running(server):
            yield here
    finally:
        live.stop()
        desk.stop()


def _rest(here: Town, live: LivePhone, app_url: str) -> Flask:
    """Whom the server calls."""
    rest = Flask("sandbox", static_folder=None)
    rest.register_blueprint(liveperson_api(here.desk))
    rest.register_blueprint(messages_api(here.carrier, here.weather, ACCOUNT_SID, AUTH_TOKEN))
    rest.register_blueprint(lookups_api(here.carrier, ACCOUNT_SID, AUTH_TOKEN))
    of_apps.register(rest, here.apps, lambda words: here.transcript.add("push", words))
    rest.register_blueprint(account_api(account_for(here.flows.values(), ACCOUNT_SID, AUTH_TOKEN, app_url)))
    rest.register_blueprint(page(live))
    rest.register_blueprint(studio_api(SimulatedStudio(ACCOUNT_SID, AUTH_TOKEN)))
    rest.register_blueprint(phone_box(lambda scene: here.play(scene)[1], here.carrier))
    return rest


def simulated_desk(clock: Clock, webhook_url: str) -> Desk:
    return Desk(clock, webhook_url, LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID, LIVEPERSON_CLIENT_SECRET)


def free_port() -> int:
    """A port that nobody has, nor any connection will before a server listens there: systems give those higher ones.

    Linux begins at 32768, macOS at 49152.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
    raise TownError("No port from 20000 to 31999 is free on 127.0.0.1; end what listens there.")


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """The transcript is the log."""

    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        if isinstance(error, AnsweredLater):
            self.close_connection = True
            error.take(self.connection)


@contextmanager
def _sandbox(app: Flask, port: int) -> Iterator[None]:
    try:
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit):
        raise TownError(f"Port {port} is in use; set SANDBOX_PORT to another.") from None
    thread = Thread(target=server.serve_forever, args=(0.05,), name="sandbox", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _environment(
    flows_dir: Path, database_url: str, port: int, twilio_port: int, desk_port: int | None = None
) -> dict[str, str]:
    """The server's settings: the operator's own are left out, so that nothing real can be reached."""
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")
    }
    return {
        **kept,
        "FLOWS_DIR": str(flows_dir.resolve()),
        "DATABASE_URL": database_url,
        "SECRET_KEY": SECRET_KEY,
        "API_KEYS": f"*:{hashlib.sha256(API_KEY.encode()).hexdigest()}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_URL": f"http://127.0.0.1:{twilio_port}",
        "LIVEPERSON_ACCOUNT": LIVEPERSON_ACCOUNT,
        "LIVEPERSON_CLIENT_ID": LIVEPERSON_CLIENT_ID,
        "LIVEPERSON_CLIENT_SECRET": LIVEPERSON_CLIENT_SECRET,
        "LIVEPERSON_API_URL": f"http://127.0.0.1:{desk_port or twilio_port}",
    }
