"""Starting and stopping: what keeps the server from starting, and processes that fork, die and are replaced."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from ivr import log
from ivr.app import create_app
from ivr.runtime import CannotStart, prepare
from ivr.sandbox.town import ROOT, _environment, free_port
from ivr.sandbox.webhooks import Webhooks
from ivr.worker import Worker
from tests.databases import KINDS, new_database
from tests.doors import ACCOUNT_SID, SECRET_KEY, TOKEN

FLOWS = str(ROOT / "flows")


def test_a_flow_with_an_error_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text("name: Acme\n")
    with pytest.raises(CannotStart) as raised:
        prepare({"FLOWS_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/ivr.db"})
    lines = str(raised.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{tmp_path}/acme.yaml:1:1: error: ") for line in lines)


def test_sqlite_is_brought_up_by_the_server_itself(tmp_path: Path) -> None:
    runtime = prepare({"FLOWS_DIR": FLOWS, "DATABASE_URL": f"sqlite:///{tmp_path}/deep/down/ivr.db"})
    with runtime.database.reads() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM calls").scalar() == 0
    runtime.database.close()


def test_sqlite_s_secret_key_is_made_once_and_kept_beside_it(tmp_path: Path) -> None:
    environ = {"FLOWS_DIR": FLOWS, "DATABASE_URL": f"sqlite:///{tmp_path}/deep/ivr.db"}
    keys = []
    for more in ({}, {}, {"SECRET_KEY": "of-the-operator"}):
        runtime = prepare({**environ, **more})
        keys.append(runtime.settings.secret_key)
        runtime.database.close()
    kept = (tmp_path / "deep" / "ivr.db.key").read_text().strip()
    assert keys == [kept, kept, "of-the-operator"]
    assert len(kept) == 64


def test_a_secret_key_that_cannot_be_kept_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "ivr.db.key").mkdir()
    with pytest.raises(CannotStart) as raised:
        prepare({"FLOWS_DIR": FLOWS, "DATABASE_URL": f"sqlite:///{tmp_path}/ivr.db"})
    assert "or set SECRET_KEY." in str(raised.value)
    assert "\n" not in str(raised.value)


def test_postgresql_is_not(tmp_path: Path) -> None:
    with new_database("postgresql", tmp_path) as url:
        environ = {"FLOWS_DIR": FLOWS, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}
        prepare(environ).database.close()
        older = subprocess.run([sys.executable, "-c", _DOWN, url], cwd=ROOT, check=True, capture_output=True)
        assert older.returncode == 0
        with pytest.raises(CannotStart, match="run: python -m ivr db upgrade"):
            prepare(environ)


_DOWN = "import sys, psycopg; psycopg.connect(sys.argv[1], autocommit=True).execute('DROP TABLE alembic_version')"


def test_a_postgresql_that_is_away_is_one_line_and_keeps_nobody_from_starting() -> None:
    """A host restarts processes while the database is away: their callers are led to a person all the same."""
    environ = {
        "FLOWS_DIR": FLOWS,
        "DATABASE_URL": "postgresql://nobody:s3cret@127.0.0.1:1/none",
        "SECRET_KEY": SECRET_KEY,
        "LOG_LEVEL": "error",
    }
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        log.start("error")
        runtime = prepare(environ)
    (line,) = written.getvalue().splitlines()
    assert json.loads(line)["event"] == "database_away"
    assert "check DATABASE_URL" in line
    assert "s3cret" not in line
    ready = create_app(runtime).test_client().get("/readyz")
    assert (ready.status_code, ready.text) == (503, "the database cannot be reached (OperationalError)\n")
    worker = Worker(runtime)
    thread = threading.Thread(target=worker.run)
    thread.start()
    worker.end()
    thread.join(30)
    assert not thread.is_alive(), "nothing that fails ends a worker, and TERM does"


def test_a_sqlite_file_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "ivr.db").mkdir()
    with pytest.raises(CannotStart) as raised:
        prepare({"FLOWS_DIR": FLOWS, "DATABASE_URL": f"sqlite:///{tmp_path}/ivr.db"})
    assert str(raised.value) == "The database cannot be opened (OperationalError); check DATABASE_URL."


def test_gunicorn_says_it_in_one_line_too(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "FLOWS_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/ivr.db"}
    for more, line in (({}, "(no *.yaml in it)"), ({"PORT": "x"}, "PORT is 'x'")):
        ended = subprocess.run(
            [sys.executable, "-m", "gunicorn", "wsgi:app"],
            cwd=ROOT,
            env={**environ, **more},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode != 0
        assert line in ended.stderr
        assert "Traceback" not in ended.stderr


@contextmanager
def served(kind: str, directory: Path, processes: int) -> Iterator[tuple[Webhooks, int]]:
    """A gunicorn with several preloaded processes; a way to call it, and the master's pid."""
    with new_database(kind, directory) as url:
        port = free_port()
        environ = _environment(Path(FLOWS), url, port, 9) | {
            "WEB_CONCURRENCY": str(processes),
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        }
        with (directory / "server.log").open("wb") as output:
            master = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "wsgi:app"], cwd=ROOT, env=environ, stdout=output, stderr=output
            )
            try:
                _until_ready(f"http://127.0.0.1:{port}/readyz")
                address = f"http://127.0.0.1:{port}"
                yield Webhooks(address, address, ACCOUNT_SID, TOKEN), master.pid
            finally:
                master.terminate()
                master.wait(30)


def _until_ready(url: str) -> None:
    session = requests.Session()
    session.mount(
        "http://",
        requests.adapters.HTTPAdapter(
            max_retries=requests.adapters.Retry(total=60, backoff_factor=0.05, backoff_max=0.2)
        ),
    )
    with session:
        assert session.get(url, timeout=10).text == "ready\n"


def workers(master: int) -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()}


def _all_workers(webhooks: Webhooks, master: int) -> set[int]:
    """Both processes, once both are there."""
    for _ in range(2000):
        if len(found := workers(master)) == 2:
            return found
        requests.get(f"{webhooks.app_url}/healthz", timeout=10)
    raise AssertionError("the second process did not come")


@pytest.mark.skipif(not Path("/proc").exists(), reason="no /proc: the processes of the server cannot be told apart")
@pytest.mark.parametrize("kind", KINDS)
def test_two_preloaded_processes_and_the_successor_of_a_killed_one(kind: str, tmp_path: Path) -> None:
    with served(kind, tmp_path, processes=2) as (webhooks, master):
        before = _all_workers(webhooks, master)
        _offers(webhooks, 40)
        os.kill(min(before), signal.SIGKILL)
        _offers(webhooks, 200)
        assert _all_workers(webhooks, master) != before
        _offers(webhooks, 40)
    log = (tmp_path / "server.log").read_text()
    assert "voice_failed" not in log
    assert log.count('"event": "offer"') >= 279  # the request that died with its process may be missing


def _offers(webhooks: Webhooks, count: int) -> None:
    """Offers in a row; the connection that died with its process is taken up again, as Twilio does."""
    with webhooks.session() as session:
        for number in range(count):
            form = {
                "CallSid": f"CA{os.urandom(16).hex()}",
                "AccountSid": ACCOUNT_SID,
                "From": "+14155552671",
                "To": "+14155550101",
            }
            answer = webhooks.post("/voice", form, session)
            if answer.status == 0:
                answer = webhooks.post("/voice", form, session)
            assert answer.status == 200, number
            assert b"step=answer" in answer.body


def test_sockets_and_threads_do_not_cross_the_fork(tmp_path: Path) -> None:
    """The runtime as it is before the fork: prepared, and nothing of it open yet."""
    code = (
        "import os, threading\n"
        "before = set(os.listdir('/proc/self/fd'))\n"
        "from ivr.runtime import prepare\n"
        "runtime = prepare(os.environ)\n"
        "kinds = [os.readlink(f'/proc/self/fd/{fd}') for fd in set(os.listdir('/proc/self/fd')) - before if os.path.exists(f'/proc/self/fd/{fd}')]\n"
        "print([kind for kind in kinds if 'socket' in kind or '.db' in kind], threading.active_count(), runtime.database.engine.pool.checkedin())\n"
    )
    environ = {"PATH": os.environ["PATH"], "FLOWS_DIR": FLOWS, "DATABASE_URL": f"sqlite:///{tmp_path}/ivr.db"}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[] 1 0\n"
