"""The doctor on channels: WhatsApp's sender and template, RCS's service, the key of a push, who uses the app."""

import copy
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from ivr import config
from ivr.deployment.apps import of_apps
from ivr.deployment.channels import Channels
from ivr.deployment.holdings import account_of, held
from ivr.flow.load import load_directory
from ivr.runtime import utc_now
from ivr.sandbox.apps import service_account
from ivr.store import consumers
from ivr.store.consumers import Consumer
from ivr.store.database import opened_once
from tests.channelled import BRAND, RCS, TEMPLATE, WHATSAPP
from tests.deployment.conftest import Run
from tests.deployment.stand import Stand, stand

NUMBERS = {"+1 415 555 0140": "billing"}
SQL = "SELECT token, enrolled FROM users WHERE phone = :number"
ELSEWHERE = "https://old.example.com/messages"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Beside the others a brand with all channels and a database of its own, and one with the embedded directory."""
    directory = tmp_path_factory.mktemp("channels")
    with sqlite3.connect(directory / "users.db") as users:
        users.execute("CREATE TABLE users (phone TEXT, token TEXT, enrolled INTEGER)")

    def more(flows: Path) -> Mapping[str, str]:
        push = {"fcm": {"key_env": "AIR_FCM_KEY"}}
        air = {**BRAND, "numbers": NUMBERS, "push": push, "channels": ["push", "whatsapp", "rcs", "sms"]}
        sender = {**BRAND["sender"], "sms": "+1 415 555 0141"}
        directory_of_it = {"sql": SQL, "url_env": "AIR_URL"}
        (flows / "air.yaml").write_text(yaml.safe_dump({**air, "sender": sender, "consumers": directory_of_it}))
        webhook = {"webhook": {"url": "https://example.com/push", "secret_env": "SEA_SECRET"}}
        sea = {**BRAND, "numbers": {"+1 415 555 0142": "billing"}, "push": webhook, "channels": ["push", "sms"]}
        (flows / "sea.yaml").write_text(yaml.safe_dump({**sea, "sender": {"sms": "+1 415 555 0143"}}))
        return {"AIR_FCM_KEY": service_account(), "AIR_URL": f"sqlite:///{directory}/users.db", "SEA_SECRET": "s3cret"}

    with stand("sqlite", directory, more) as built:
        with opened_once(built.environ["DATABASE_URL"]) as database, database.writes() as tx:
            consumers.write(tx, [Consumer("sea", "+14155552671", "", "", "C-1", True, None)], utc_now())
        yield built


def lines(here: Stand) -> list[str]:
    settings, flows = config.read(here.environ), load_directory(here.flows).flows
    account = account_of(settings)
    channels = Channels(settings, flows, held(account), account)
    return [str(line) for line in (*channels.lines(), *of_apps(settings, here.environ, flows))]


def test_all_is_right(at: Stand, run: Run) -> None:
    ended, out, _ = run(at, "doctor")
    assert ended == 0, out
    said = [line.removeprefix("good").strip() for line in out.splitlines()]
    for line in (
        "WhatsApp of air: the sender +14155550112 is online, and its messages come here",
        f"WhatsApp of air: template {TEMPLATE} is approved",
        f"RCS of air, {RCS}: it has an RCS sender, and its messages come here",
        "push of air: Google gives an access token for the project a-simulated-project",
        "consumers of air, AIR_URL: the brand's database answers the SELECT",
        "push of sea: the secret of its push service is set",
        "consumers of sea: 1 devices in the embedded directory",
    ):
        assert line in said, out


def sender(**changes: object) -> Callable[[Stand], None]:
    return lambda at: at.account.whatsapp[WHATSAPP].update(changes)


def service(**changes: object) -> Callable[[Stand], None]:
    return lambda at: at.account.services[RCS].update(changes)


def variable(name: str, value: str) -> Callable[[Stand], None]:
    return lambda at: at.environ.update({name: value})


NO_TOKEN = json.dumps({**json.loads(service_account()), "token_uri": "https://oauth2.googleapis.com/nowhere"})
# what is planted, and the one line that is not good then
FAULTS: list[tuple[str, Callable[[Stand], object], str]] = [
    ("no WhatsApp sender", lambda at: at.account.whatsapp.clear(), "wrong        WhatsApp of air: +14155550112 is no WhatsApp sender of this account; to mend: make it one"),
    ("it is offline", sender(status="OFFLINE"), "wrong        WhatsApp of air: the sender +14155550112 is OFFLINE; to mend: see why"),
    ("its messages go elsewhere", sender(webhook={"callback_url": ELSEWHERE}), f"wrong        WhatsApp of air: messages to +14155550112 go to POST {ELSEWHERE}; to mend: Console"),
    ("its messages go nowhere", sender(webhook=None), "wrong        WhatsApp of air: messages to +14155550112 go to nowhere; to mend: Console"),
    ("not told", lambda at: at.account.failing.update({"Channels": 500}), "cannot tell  WhatsApp of air: its sender +14155550112: Twilio failed (500); to mend: look in"),
    ("a template that waits", lambda at: at.account.templates.update({TEMPLATE: "pending"}), f"wrong        WhatsApp of air: template {TEMPLATE} is pending; every greeting by it fails (error 63016); to mend: submit it"),
    ("no template", lambda at: at.account.templates.clear(), f"wrong        WhatsApp of air: template {TEMPLATE} is not in this account; to mend: write one"),
    ("no RCS sender", lambda at: at.account.rcs.clear(), f"wrong        RCS of air, {RCS}: it has no RCS sender (error 63007); to mend: Console"),
    ("no service", lambda at: at.account.services.pop(RCS), f"wrong        RCS of air, {RCS}: no such messaging service in this account; to mend: correct"),
    ("RCS goes elsewhere", service(inbound_request_url=ELSEWHERE), f"wrong        RCS of air, {RCS}: its messages go to {ELSEWHERE}, not to POST "),
    ("RCS goes where numbers say", service(use_inbound_webhook_on_number=True), f"wrong        RCS of air, {RCS}: its messages go to where its numbers say; to mend: Console"),
    ("no key", variable("AIR_FCM_KEY", ""), "wrong        push of air: AIR_FCM_KEY is not set, which air's file names for push: the service account's key; to mend: set it"),
    ("a key that is none", variable("AIR_FCM_KEY", "s3cret"), "wrong        push of air: AIR_FCM_KEY, air's push, is no service account's key; to mend: put in the whole JSON file"),
    ("a key that Google refuses", variable("AIR_FCM_KEY", NO_TOKEN), "wrong        push of air: Google gave no access token; to mend: in the Firebase console make a new key"),
    ("no database", variable("AIR_URL", "sqlite:////nowhere/s3cret.db"), "wrong        consumers of air, AIR_URL: The consumers' database refused (OperationalError); to mend: check AIR_URL"),
    ("another kind", variable("AIR_URL", "mysql://u:s3cret@h/d"), "wrong        consumers of air, AIR_URL: AIR_URL, air's consumers, is of mysql; to mend: PostgreSQL and SQLite can be asked"),
    ("no secret", variable("SEA_SECRET", " "), "wrong        push of sea: SEA_SECRET is not set, which sea's file names for push: the secret you share; to mend: set it"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "said"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_each_fault_is_one_line(at: Stand, plant: Callable[[Stand], object], said: str) -> None:
    kept, environ = copy.deepcopy(at.account), dict(at.environ)
    try:
        plant(at)
        (line,) = [line for line in lines(at) if not line.startswith("good")]
    finally:
        at.environ.clear()
        at.environ.update(environ)
        for name in ("whatsapp", "templates", "rcs", "services", "failing"):
            setattr(at.account, name, getattr(kept, name))
    assert line.startswith(said), line
    assert "s3cret" not in line


def test_nobody_in_the_directory(at: Stand) -> None:
    with opened_once(at.environ["DATABASE_URL"]) as database, database.writes() as tx:
        assert consumers.drop_older(tx, "sea", utc_now(), "", 10) == (1, None)
    (line,) = [line for line in lines(at) if not line.startswith("good")]
    assert line == (
        "cannot tell  consumers of sea: the embedded directory is empty, so that nobody gets a push; "
        "to mend: python -m ivr consumers import FILE.csv --brand sea"
    )
