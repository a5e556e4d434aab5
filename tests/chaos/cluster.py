"""A PostgreSQL server of a test's own, which may be stopped in any manner."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ivr.sandbox.town import free_port

OWNER = "postgres"  # PostgreSQL does not run as root; whoever is root becomes this user
DEBIAN = Path("/usr/lib/postgresql")  # /15/bin: beside the PATH


def binaries() -> Path | None:
    """Where initdb and pg_ctl are, of the newest PostgreSQL here; None when they are not, or nobody may run them."""
    if os.geteuid() == 0 and not _there(OWNER):
        return None
    initdb = shutil.which("initdb")
    newest = sorted(DEBIAN.glob("*/bin"), key=lambda place: [int(part) for part in re.findall(r"\d+", str(place))])
    places = [Path(initdb).parent] if initdb else newest[::-1]
    return next((place for place in places if (place / "pg_ctl").exists() and (place / "initdb").exists()), None)


def _there(user: str) -> bool:
    return bool(shutil.which("runuser")) and subprocess.run(["id", user], capture_output=True).returncode == 0


@dataclass(frozen=True)
class Cluster:
    binaries: Path
    directory: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://test@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        become = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
        command = [*become, str(self.binaries / program), "-D", str(self.directory / "data"), *arguments]
        ended = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, f"{' '.join(command)}: {ended.stdout}{ended.stderr}"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1"
        self.run("pg_ctl", "start", "-w", "-l", str(self.directory / "log"), "-o", options)

    def restart(self, how: str) -> None:
        """`how`: fast cuts every connection; immediate is a crash, and the log is read when it starts again."""
        self.run("pg_ctl", "restart", "-w", "-l", str(self.directory / "log"), "-m", how)


@contextmanager
def cluster(place: Path) -> Iterator[Cluster]:
    """A running server, its programs in `place`; it is gone afterwards, and all that it wrote."""
    with tempfile.TemporaryDirectory(prefix="ivr-postgresql-") as directory:
        if os.geteuid() == 0:
            shutil.chown(directory, OWNER)
        here = Cluster(place, Path(directory), free_port())
        here.run("initdb", "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        here.start()
        try:
            yield here
        finally:
            here.run("pg_ctl", "stop", "-m", "immediate")
