"""Consumers: a million devices imported into the embedded directory, on both databases, in time and memory."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ivr.sandbox.town import ROOT
from tests.bench.figures import BenchFailed, Figure, at_most
from tests.databases import KINDS, new_database

DEVICES = 1_000_000


def consumers(directory: Path) -> Iterator[Figure]:
    file, chance = directory / "consumers.csv", random.Random(1)
    with file.open("w", encoding="utf-8") as text:
        text.write("phone,app_token,platform,customer_id,enrolled,last_active\n")
        text.writelines(_row(number, chance) for number in range(DEVICES))
    for kind in KINDS:
        with new_database(kind, directory) as url:
            seconds, memory = _imported(file, url)
        what = f"consumers: {DEVICES:,} devices imported, {kind} ({file.stat().st_size / 1e6:.0f} MB)"
        yield at_most(f"{what}, by the clock", seconds, 60.0, "s", digits=1)
        yield at_most(f"{what}, memory at most", memory, 250.0, "MB", digits=0)


def _imported(file: Path, url: str) -> tuple[float, float]:
    """Seconds by the clock, and the most memory in MB."""
    began = time.monotonic()
    command = [sys.executable, "-m", "ivr", "consumers", "import", str(file), "--brand", "acme"]
    environ = os.environ | {"DATABASE_URL": url, "SECRET_KEY": "a-secret-key-for-the-bench-that-is-long"}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout
        out = run.stdout.read()
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode or f"{DEVICES:,} in the directory".encode() not in out:
        raise BenchFailed(f"The import did not write {DEVICES:,} devices.")
    return time.monotonic() - began, used.ru_maxrss / 1024


def _row(number: int, chance: random.Random) -> str:
    phone = f"+1415{2_000_000 + number % 8_000_000:07d}" if number < 500_000 else f"+1213{2_000_000 + number:07d}"
    moment = f"2026-0{1 + number % 9}-{1 + number % 28:02d}T10:{number % 60:02d}:00Z"
    token = f"d{number:09x}:APA91b{chance.getrandbits(560):0140x}"
    return f"{phone},{token},{'ios' if number % 2 else 'android'},C-{number},yes,{moment}\n"
