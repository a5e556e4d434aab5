"""Servers under test: start one as an operator does, ask the system what its workers cost, stop it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ivr.sandbox.town import ACCOUNT_SID, AUTH_TOKEN, ROOT, SECRET_KEY, free_port
from tests.bench.figures import BenchFailed

STARTS_WITHIN = 150.0  # seconds; a thousand brands take their time

OURS, PLAIN = "wsgi:app", "tests.bench.plain:app"

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    workers: tuple[int, ...]  # process ids
    seconds: float  # from its exec until it listened with all its workers there

    def cpu(self) -> float:
        """Seconds of CPU, user and system, that the workers have used so far. A worker that died fails the bench."""
        return sum(_cpu(worker) for worker in self.workers)

    def resident(self) -> float:
        """Megabytes of the workers together."""
        return sum(_resident(worker) for worker in self.workers)


def environment(directory: Path, flows: Path, **settings: str) -> dict[str, str]:
    """A server's settings; the operator's own are left out. `settings` go before the defaults here."""
    port = free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "FLOWS_DIR": str(flows),
        "DATABASE_URL": f"sqlite:///{directory / f'{port}.db'}",
        "SECRET_KEY": SECRET_KEY,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_URL": "http://127.0.0.1:9",  # nobody: a bench that texts says who listens
        "WEB_CONCURRENCY": "2",
        **settings,
    }


@contextmanager
def running(directory: Path, settings: Mapping[str, str], app: str = OURS) -> Iterator[Server]:
    """A server until the block ends. Both apps run under the project's own gunicorn.conf.py."""
    log = directory / f"{settings['PORT']}.log"
    with started(log, settings, app) as process:
        began = time.monotonic()
        workers = _workers(process, settings)
        yield Server(settings["PUBLIC_URL"], workers, time.monotonic() - began)


@contextmanager
def started(log: Path, settings: Mapping[str, str], app: str = OURS) -> Iterator[subprocess.Popen[bytes]]:
    """The gunicorn master, which may not listen yet."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", "gunicorn", app]
        process = subprocess.Popen(command, cwd=ROOT, env=dict(settings), stdout=output, stderr=output)
        try:
            yield process
        except Exception:
            print(f"The end of the log of {app}:\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
            raise
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def children(process: int) -> tuple[int, ...]:
    return tuple(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    """A connection to a server that is about to listen."""
    give_up = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < give_up and process.poll() is None:
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        time.sleep(0.005)
    raise BenchFailed(f"A server did not start within {STARTS_WITHIN:.0f} s.")


def _workers(process: subprocess.Popen[bytes], settings: Mapping[str, str]) -> tuple[int, ...]:
    connected(int(settings["PORT"]), process).close()
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        workers = children(process.pid)
        if len(workers) == int(settings["WEB_CONCURRENCY"]):
            return workers
        time.sleep(0.01)
    raise BenchFailed("A server's workers did not start.")


def _cpu(process: int) -> float:
    # The command's name stands in parentheses and may hold anything; utime and stime are fields 14 and 15.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
