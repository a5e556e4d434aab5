"""A fleet: gunicorn and workers as real processes on one database, a Twilio that outlives them, and the count."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import HTTPServer
from pathlib import Path

import requests
from flask import Flask, Response
from sqlalchemy import text
from werkzeug.serving import BaseWSGIServer, make_server

from ivr.sandbox.apps import Apps, google
from ivr.sandbox.carrier import Carrier
from ivr.sandbox.clock import Clock
from ivr.sandbox.desk import Desk
from ivr.sandbox.liveperson import liveperson_api
from ivr.sandbox.rest import Weather, messages_api
from ivr.sandbox.town import ROOT, _environment, _Quiet, free_port, simulated_desk
from ivr.sandbox.webhooks import Webhooks
from ivr.store.database import Database, opened
from tests.asking import API_KEYS, KEY, yes
from tests.databases import sqlalchemy_url
from tests.doors import ACCOUNT_SID, TOKEN


@dataclass(frozen=True)
class Count:
    """The four numbers."""

    accepted: int
    texts: int
    lost: int
    doubled: int

    def __str__(self) -> str:
        return f"accepted {self.accepted}, texts {self.texts}, lost {self.lost}, doubled {self.doubled}"


@dataclass
class Fleet:
    webhooks: Webhooks
    carrier: Carrier
    database: Database
    environ: dict[str, str]
    directory: Path
    twilio: BaseWSGIServer
    weather: Weather
    desk: Desk
    apps: Apps  # on the handsets, pushed to by Google
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None  # as a request to send arrives at Twilio
    after: Callable[[], None] = lambda: None  # as soon as its answer is written
    seconds: list[float] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)  # numbers that the API took
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(2000, 9999)))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.directory / "server.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=self.environ, stdout=output, stderr=output
            )
        self.processes.append(process)
        return process

    def web(self) -> subprocess.Popen[bytes]:
        master = self.start("gunicorn", "wsgi:app")
        retry = requests.adapters.Retry(total=100, connect=100, backoff_factor=0.05, backoff_max=0.2)
        with requests.Session() as session:
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
            assert session.get(f"{self.webhooks.app_url}/readyz", timeout=10).status_code == 200
        return master

    def number(self) -> str:
        with self._lock:
            return f"+1415555{next(self._numbers):04d}"

    def accept(self, number: str = "") -> int:
        """A caller presses 1; Twilio asks once more when the connection broke, as it does. The status at last."""
        number = number or self.number()
        form = {
            "CallSid": f"CA{number[1:]:0>32}", "AccountSid": ACCOUNT_SID, "From": number, "To": "+14155550101",
            "Digits": "1", "CallStatus": "in-progress",
        }  # fmt: skip
        for _ in range(2):
            status = self.webhooks.post("/voice/acme/billing?step=answer", form).status
            if status:
                break
        return status

    def deflect(self) -> None:
        """Another IVR's caller says yes; it asks with the same key until it is answered."""
        number = self.number()
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": number}
        for _ in range(50):
            with suppress(requests.RequestException):
                url = f"{self.webhooks.app_url}/api/v1/deflections"
                answer = requests.post(url, json=yes(number=number, call_id=number), headers=headers, timeout=10)
                if answer.ok:
                    self.answered.append(number)
                    return
            threading.Event().wait(0.1)

    def children(self, master: subprocess.Popen[bytes]) -> list[int]:
        listed = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def kill(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def listen(self) -> None:
        """Twilio takes requests from now on. Not werkzeug's own loop, which closes the port when it ends."""
        threading.Thread(target=HTTPServer.serve_forever, args=(self.twilio, 0.05), daemon=True).start()

    @contextmanager
    def connections_hang(self) -> Iterator[None]:
        """Whoever connects to Twilio meanwhile waits to be connected, with not a byte written: its backlog is full."""
        self.twilio.shutdown()
        self.twilio.socket.listen(0)
        with ExitStack() as kept:
            while _connected(self.twilio.port, kept):
                pass
            try:
                yield
            finally:
                self.twilio.socket.listen(128)
                self.listen()

    def connecting(self, master: subprocess.Popen[bytes], within: float = 20.0) -> int:
        """The process of the web that is connecting to Twilio, as soon as one is."""
        give_up = time.monotonic() + within
        while time.monotonic() < give_up:
            waiting = _connections_begun(self.twilio.port)
            for pid in self.children(master):
                if waiting & _sockets(pid):
                    return pid
            threading.Event().wait(0.01)
        raise AssertionError("no process connects to Twilio")

    def settle(self, within: float) -> Count:
        """Wait until nothing is unfinished any more, then count."""
        give_up = time.monotonic() + within
        unfinished = text("SELECT count(*) FROM messages WHERE state IN ('due', 'sending', 'unclear')")
        while time.monotonic() < give_up:
            with self.database.reads() as tx:
                if not tx.execute(unfinished).scalar():
                    break
            threading.Event().wait(0.2)
        return self.count()

    def count(self) -> Count:
        with self.database.reads() as tx:
            accepted = tx.execute(text("SELECT number FROM deflections WHERE accepted_at IS NOT NULL")).scalars().all()
            dead = tx.execute(text("SELECT count(*) FROM messages WHERE state IN ('dead', 'failed')")).scalar()
        sent = Counter(str(found["to"]) for found in self.carrier.texts)
        lost = sum(1 for number in {*accepted, *self.answered} if not sent[number])
        assert not dead, "nothing may be given up while Twilio is there"
        return Count(len(accepted), sum(sent.values()), lost, sum(found - 1 for found in sent.values() if found > 1))


@contextmanager
def fleet(url: str, directory: Path, flows: Path | str = ROOT / "flows", **settings: str) -> Iterator[Fleet]:
    """Nothing runs in it yet but Twilio, and Google at the same host."""
    port, twilio_port = free_port(), free_port()
    address = f"http://127.0.0.1:{port}"
    webhooks = Webhooks(address, address, ACCOUNT_SID, TOKEN)
    carrier = Carrier(Clock(), webhooks, received=lambda _body: None)
    environ, apps = _environment(Path(flows), url, port, twilio_port), Apps()
    environ |= {"FCM_API_URL": environ["TWILIO_API_URL"]}
    environ |= {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": TOKEN, "API_KEYS": API_KEYS, **settings}
    weather = Weather()
    app = Flask("twilio", static_folder=None)
    app.register_blueprint(messages_api(carrier, weather, ACCOUNT_SID, TOKEN))
    desk = simulated_desk(Clock(), f"{address}/desk/liveperson")
    app.register_blueprint(liveperson_api(desk))
    app.register_blueprint(google(apps))
    server = make_server("127.0.0.1", twilio_port, app, threaded=True, request_handler=_Quiet)
    here = Fleet(webhooks, carrier, opened(sqlalchemy_url(url), 2), environ, directory, server, weather, desk, apps)
    _hook(app, here)
    here.listen()
    try:
        yield here
    finally:
        for process in here.processes:
            process.terminate()
        for process in here.processes:
            process.wait(40)
        desk.stop()
        server.shutdown()
        server.server_close()
        here.database.close()


def _hook(twilio: Flask, here: Fleet) -> None:
    @twilio.before_request
    def before() -> None:
        here.before()

    @twilio.after_request
    def after(response: Response) -> Response:
        response.call_on_close(lambda: here.after())
        return response


def _connected(port: int, kept: ExitStack) -> bool:
    """Whether one more connection comes about; it is kept then."""
    with ExitStack() as one, selectors.DefaultSelector() as answered:
        connection = one.enter_context(socket.socket())
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", port))
        answered.register(connection, selectors.EVENT_WRITE)
        there = bool(answered.select(0.2))
        if there:
            kept.enter_context(one.pop_all())
        return there


def _connections_begun(port: int) -> set[str]:
    """The sockets (by inode) of this machine whose connection to `port` is begun, and not there: SYN_SENT."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {row[9] for row in rows if row[2].endswith(f":{port:04X}") and row[3] == "02"}


def _sockets(pid: int) -> set[str]:
    """The inodes of the sockets that a process has open."""
    found = set()
    with suppress(OSError):  # it may end, or close one, while we look
        for name in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(name.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found
