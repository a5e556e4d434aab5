"""The README's deployment, step by step, on a stand-in for its host: release, web, numbers, doctor, worker, TERM.

The Procfile's own lines run, with the variables that a host sets.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests
from flask import Flask

from ivr.flow.load import load_directory
from ivr.sandbox.account import SimulatedAccount, account_api, account_for
from ivr.sandbox.town import ROOT, SECRET_KEY, free_port
from ivr.sandbox.webhooks import Webhooks
from tests.databases import new_database
from tests.deployment.stand import CONNECTOR, liveperson, served
from tests.doors import ACCOUNT_SID, CALLER, TOKEN
from tests.test_start import _until_ready

HOST_WAITS = 30.0  # seconds between TERM and KILL

PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
DEPLOY = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Deploy")[1].split("\n## ")[0]


def settings_of_the_readme(public_url: str) -> dict[str, str]:
    """What its `config:set` sets, with values that fit."""
    values = {"PUBLIC_URL": public_url, "TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": TOKEN}
    values |= {"SECRET_KEY": SECRET_KEY} | CONNECTOR
    lines = re.findall(r"^heroku config:set (.*)$", DEPLOY, re.MULTILINE)
    named = {name: values[name] for name in re.findall(r"([A-Z_]+)=", " ".join(lines))}
    return named | CONNECTOR  # acme's desk is LivePerson


@pytest.fixture
def host(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment that the host gives a process: the README's settings, and its own variables."""
    port = free_port()
    with new_database("postgresql", tmp_path, upgraded=False) as url:
        yield {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "DYNO": "web.1",
            "PORT": str(port),
            "DATABASE_URL": url.replace("postgresql://", "postgres://"),
            **settings_of_the_readme(f"http://127.0.0.1:{port}"),
        }


def ran(line: str, host: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A line of the Procfile or of `heroku run`, as the host runs it: in a shell, with the app's settings."""
    return subprocess.run(["sh", "-c", line], cwd=ROOT, env=host, capture_output=True, text=True, timeout=60)


def released(host: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return ran(PROCFILE["release"], host)


@contextmanager
def running(line: str, host: dict[str, str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A line of the Procfile as a process, killed in the end if it is still there."""
    with output.open("wb") as log:
        process = subprocess.Popen(["sh", "-c", f"exec {PROCFILE[line]}"], cwd=ROOT, env=host, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def terminated(process: subprocess.Popen[bytes]) -> int:
    """TERM, as the host sends it; the exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(HOST_WAITS)


@contextmanager
def bought_yesterday() -> Iterator[tuple[SimulatedAccount, str]]:
    """An account with what the brands claim, registered, leading to Twilio's demonstration pages; its API's URL."""
    account = account_for(load_directory(ROOT / "flows").flows.values(), ACCOUNT_SID, TOKEN, "https://demo.twilio.com")
    for record in account.numbers.values():
        record.update(
            voice_url="https://demo.twilio.com/welcome/voice/", sms_url="https://demo.twilio.com/welcome/sms/"
        )
    twilio = Flask("twilio", static_folder=None)
    twilio.register_blueprint(account_api(account))
    with served(twilio) as url:
        yield account, url


def test_the_readme_deploys_what_the_procfile_runs() -> None:
    assert "heroku addons:create heroku-postgresql" in DEPLOY
    (told,) = re.findall(r"^git push heroku main .*release phase runs (.*)\)?$", DEPLOY, re.MULTILINE)
    assert re.findall(r"`([^`]+)`", told) == PROCFILE["release"].split(" && ")


def test_the_steps_of_the_readme(host: dict[str, str], tmp_path: Path) -> None:
    point, doctor = re.findall(r"heroku run (python -m ivr [a-z]+(?: [a-z]+)?)", DEPLOY.split("```")[1])
    assert (point, doctor) == ("python -m ivr numbers point", "python -m ivr doctor")
    log = tmp_path / "web.log"
    with bought_yesterday() as (account, twilio_url), liveperson(host["PUBLIC_URL"]) as (_, liveperson_url):
        host = host | {"TWILIO_API_URL": twilio_url, "LIVEPERSON_API_URL": liveperson_url}
        before = ran(doctor, host)
        assert before.returncode == 1
        assert "its schema is older than this release; to mend: python -m ivr db upgrade" in before.stdout
        release = released(host)
        assert release.returncode == 0, release.stderr
        with running("web", host, log) as web:
            _until_ready(f"{host['PUBLIC_URL']}/readyz")
            assert ran(doctor, host).returncode == 1, "nothing is pointed yet"
            assert ran(f"{point} --yes", host).returncode == 0
            after = ran(doctor, host)
            assert after.returncode == 0, after.stdout
            a_call_and_a_text(account, host)
            assert terminated(web) == 0
    assert "Traceback" not in log.read_text()
    assert '"event": "offer"' in log.read_text()
    with psycopg.connect(host["DATABASE_URL"]) as database:
        assert database.execute("SELECT count(*) FROM calls").fetchone() == (1,)


def a_call_and_a_text(account: SimulatedAccount, host: dict[str, str]) -> None:
    """As Twilio would now ask, at the URLs that its numbers have."""
    record = account.number("+14155550101")
    webhooks = Webhooks(host["PUBLIC_URL"], host["PUBLIC_URL"], ACCOUNT_SID, TOKEN)
    form = {"AccountSid": ACCOUNT_SID, "From": CALLER, "To": "+14155550101"}
    of_the_call = form | {"CallSid": "CA" + "1" * 32, "CallStatus": "ringing"}
    call = webhooks.post(record["voice_url"], of_the_call)
    assert (call.status, b"<Gather" in call.body) == (200, True), call
    assert requests.post(record["voice_url"], data=of_the_call, timeout=10).status_code == 403, "unsigned"
    text = webhooks.post(record["sms_url"], form | {"MessageSid": "SM" + "1" * 32, "Body": "Hello"})
    assert text.status == 200


def test_a_worker_of_its_own(host: dict[str, str], tmp_path: Path) -> None:
    assert released(host).returncode == 0
    with running("worker", host | {"WORKER": "separate"}, tmp_path / "worker.log") as worker:
        _until_it_listens(host["DATABASE_URL"])
        assert terminated(worker) == 0
    assert "Traceback" not in (tmp_path / "worker.log").read_text()


def _until_it_listens(url: str) -> None:
    listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    with psycopg.connect(url, autocommit=True) as database:
        give_up = time.monotonic() + 30
        while database.execute(listening).fetchone() != (1,):
            assert time.monotonic() < give_up, "the worker does not listen"


def test_a_flow_with_an_error_stops_the_release(host: dict[str, str], tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "acme.yaml").write_text((ROOT / "flows" / "acme.yaml").read_text().replace("otherwise:", "otherwize:"))
    release = released(host | {"FLOWS_DIR": str(flows)})
    assert release.returncode == 1
    assert release.stdout.count(": error: otherwize: unknown key; did you mean otherwise?\n") == 3
    assert release.stderr == ""
    with psycopg.connect(host["DATABASE_URL"]) as database:
        assert database.execute("SELECT to_regclass('calls')").fetchone() == (None,), "the database is as it was"


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ({"WEB_CONCURRENCY": "2.5"}, "WEB_CONCURRENCY is '2.5'; write a whole number from 1 to 10000.\n"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL is not set, but TWILIO_AUTH_TOKEN is; "),
    ],
    ids=["WEB_CONCURRENCY", "PUBLIC_URL"],
)
def test_a_wrong_setting_stops_the_release(host: dict[str, str], setting: dict[str, str], line: str) -> None:
    release = released(host | setting)
    assert release.returncode == 1
    assert line in release.stderr
    assert "Traceback" not in release.stderr


@pytest.mark.parametrize("older", ["empty", "0001"])
def test_web_refuses_an_older_schema_in_one_line(older: str, host: dict[str, str], tmp_path: Path) -> None:
    if older != "empty":
        assert released(host).returncode == 0
        with psycopg.connect(host["DATABASE_URL"]) as database:
            database.execute("UPDATE alembic_version SET version_num = %s", (older,))
    with running("web", host, tmp_path / "web.log") as web:
        assert web.wait(HOST_WAITS) != 0
    said = (tmp_path / "web.log").read_text()
    ours = [line for line in said.splitlines() if not line.startswith("[")]  # gunicorn's own lines have the time first
    assert ours == [
        "The server does not start.",
        "The database's schema is older than this release; run: python -m ivr db upgrade",
    ]
