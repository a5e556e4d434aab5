"""The server's process: the real one, started, and started anew where it shall read other files."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from ivr.sandbox.ahead import Ahead
from ivr.sandbox.scene import TownError

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 20.0  # seconds


@dataclass(slots=True)
class Process:
    """`ahead`: the calendar that it reads; None for the real one. `log`: where its output goes."""

    environment: dict[str, str]
    log: Path
    ahead: Ahead | None
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers, or raise TownError with what it said."""
        app, environment = "wsgi:app", self.environment
        if self.ahead:
            app, environment = "ivr.sandbox.server:app", {**environment, "SANDBOX_AHEAD": str(self.ahead.file)}
        port = int(environment["PORT"])
        _must_be_free(port)
        with self.log.open("wb") as output:
            bind = f"127.0.0.1:{port}"  # its token is public: nobody else may reach it
            command = [sys.executable, "-m", "gunicorn", "--bind", bind, app]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        self._process = process
        _until_it_answers(process, f"http://127.0.0.1:{port}/healthz", self.log)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self, flows_dir: Path) -> None:
        """The same server over the same rows, with the brands of `flows_dir`."""
        self.stop()
        self.environment = {**self.environment, "FLOWS_DIR": str(flows_dir.resolve())}
        self.start()


@contextmanager
def running(process: Process) -> Iterator[None]:
    try:
        process.start()
        yield
    finally:
        process.stop()


def _must_be_free(port: int) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            raise TownError(f"Port {port} is in use; set PORT to another.") from None


def _until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    give_up = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise TownError(log.read_text(errors="replace").strip() or "The server did not start.")
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise TownError(f"The server did not answer within {STARTS_WITHIN:.0f} s; its output is in {log}.")
