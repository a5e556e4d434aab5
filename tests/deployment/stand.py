"""A whole deployment on loopback: the real server, a simulated Twilio and LivePerson, the environment of a command."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from ivr import config, runtime
from ivr.app import create_app
from ivr.flow.load import load_directory
from ivr.sandbox.account import SimulatedAccount, account_api, account_for
from ivr.sandbox.apps import Apps, google
from ivr.sandbox.clock import Clock
from ivr.sandbox.desk import Desk
from ivr.sandbox.liveperson import liveperson_api
from ivr.sandbox.town import ROOT, SECRET_KEY, free_port
from tests.databases import new_database
from tests.doors import ACCOUNT_SID, TOKEN

SERVICE = "MG" + "7e" * 16
METRO = (
    'name: Metro\nnumbers: {"+1 415 555 0130": rides}\nsender: {sms: '
    + SERVICE
    + "}\nbranches:\n  rides:\n    offer: Press 1 and we will text you.\n    greeting: Metro here. Reply STOP to opt out."
    + "\n    otherwise: {queue: rides}\n    fallback: {say: Goodbye.}\n"
)


CONNECTOR = {
    "LIVEPERSON_ACCOUNT": "12345678",
    "LIVEPERSON_CLIENT_ID": "0ff1ce00-0000-4000-8000-000000000001",
    "LIVEPERSON_CLIENT_SECRET": "test-secret-0123456789",
}


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def served(app: Flask, port: int = 0) -> Iterator[str]:
    """An app on loopback; its URL."""
    server = make_server("127.0.0.1", port or free_port(), app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def liveperson(public_url: str) -> Iterator[tuple[Desk, str]]:
    """LivePerson with our connector installed, and where its hosts are looked up."""
    account, client_id, client_secret = CONNECTOR.values()
    desk = Desk(Clock(), f"{public_url}/desk/liveperson", account, client_id, client_secret)
    app = Flask("liveperson", static_folder=None)
    app.register_blueprint(liveperson_api(desk))
    try:
        with served(app) as url:
            yield desk, url
    finally:
        desk.stop()


@dataclass
class Stand:
    account: SimulatedAccount
    desk: Desk
    environ: dict[str, str]
    flows: Path
    stack: ExitStack = field(repr=False)
    """A test may open more in it: it is closed with the stand."""

    @property
    def url(self) -> str:
        return self.environ["PUBLIC_URL"]

    def edit(self, brand: str, old: str, new: str) -> None:
        file = self.flows / f"{brand}.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def fall_back(self, url: str) -> None:
        """Every number and messaging service has this fallback."""
        for record in (*self.account.numbers.values(), *self.account.services.values()):
            record.update({name: url for name in record if name.endswith("fallback_url")})

    def elsewhere(self, app: Flask) -> None:
        """PUBLIC_URL leads to another app; Twilio's numbers too."""
        self.moved(self.stack.enter_context(served(app)))

    def moved(self, url: str) -> None:
        old, self.environ["PUBLIC_URL"] = self.environ["PUBLIC_URL"], url
        for record in (*self.account.numbers.values(), *self.account.services.values()):
            for name, value in record.items():
                if isinstance(value, str) and value.startswith(old):
                    record[name] = url + value.removeprefix(old)


@contextmanager
def stand(kind: str, directory: Path, more: Callable[[Path], Mapping[str, str]] = lambda _: {}) -> Iterator[Stand]:
    """A deployment in which everything is right: acme, a bakery, and a brand that texts with a messaging service.

    `more`: writes further brands' files, and says which variables they name.
    """
    flows = directory / "flows"
    flows.mkdir()
    for brand in ("acme", "corner-bakery"):
        (flows / f"{brand}.yaml").write_text((ROOT / "flows" / f"{brand}.yaml").read_text())
    (flows / "metro.yaml").write_text(METRO)
    named = more(flows)
    loaded = load_directory(flows)
    assert not loaded.errors
    with ExitStack() as stack:
        port = free_port()
        environ = {
            "FLOWS_DIR": str(flows),
            "DATABASE_URL": stack.enter_context(new_database(kind, directory)),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "SECRET_KEY": SECRET_KEY,
            **CONNECTOR,
            **named,
        }
        account = account_for(loaded.flows.values(), ACCOUNT_SID, TOKEN, environ["PUBLIC_URL"])
        twilio = Flask("twilio", static_folder=None)
        twilio.register_blueprint(account_api(account))
        twilio.register_blueprint(google(Apps()))
        environ["TWILIO_API_URL"] = environ["FCM_API_URL"] = stack.enter_context(served(twilio))
        desk, environ["LIVEPERSON_API_URL"] = stack.enter_context(liveperson(environ["PUBLIC_URL"]))
        running = runtime.build(config.read(environ), loaded.flows, named=environ)
        stack.callback(running.database.close)
        stack.callback(running.attempts.finish)
        stack.enter_context(served(create_app(running), port))
        yield Stand(account, desk, environ, flows, stack)
