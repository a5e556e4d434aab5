"""Estimate: a million calls as Twilio's REST API exports them, reviewed by the command, in time and memory."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from ivr.sandbox.town import ROOT
from tests.bench.figures import BenchFailed, Figure, at_most

CALLS = 1_000_000
PLAIN = "call id,start time,queue,caller,duration,wait,abandoned"
TWILIO = (
    "Sid,DateCreated,DateUpdated,ParentCallSid,AccountSid,To,ToFormatted,From,FromFormatted,PhoneNumberSid,Status,"
    "StartTime,EndTime,Duration,Price,PriceUnit,Direction,AnsweredBy,Annotation,ApiVersion,ForwardedFrom,GroupSid,"
    "CallerName,Uri"
)


def estimate(directory: Path) -> Iterator[Figure]:
    """A contact centre's export with waits, then Twilio's with its long rows; nothing else runs meanwhile."""
    for name, header, row in (("a queue's", PLAIN, _plain), ("Twilio's", TWILIO, _twilio)):
        file = directory / "calls.csv"
        chance = random.Random(1)
        with file.open("w", encoding="utf-8") as text:
            text.write(f"{header}\n")
            text.writelines(row(number, chance) for number in range(CALLS))
        seconds, memory = _estimated(file)
        what = f"estimate: {CALLS:,} calls, {name} export ({file.stat().st_size / 1e6:.0f} MB)"
        yield at_most(f"{what}, by the clock", seconds, 30.0, "s", digits=1)
        yield at_most(f"{what}, memory at most", memory, 1000.0, "MB", digits=0)


def _estimated(file: Path) -> tuple[float, float]:
    """Seconds by the clock, and the most memory in MB."""
    began = time.monotonic()
    command = [sys.executable, "-m", "ivr", "estimate", str(file), "--json", "--timezone", "America/New_York"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as run:
        assert run.stdout
        out = run.stdout.read()
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if run.returncode or json.loads(out)["calls"] != CALLS:
        raise BenchFailed(f"The estimate did not count {CALLS:,} calls.")
    return seconds, used.ru_maxrss / 1024


def _moment(chance: random.Random) -> datetime:
    return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(91 * 86_400))


def _plain(number: int, chance: random.Random) -> str:
    length, wait, caller = chance.randrange(900), chance.randrange(300), chance.randrange(600_000)
    return (
        f"c{number},{_moment(chance):%Y-%m-%d %H:%M:%S},queue {chance.randrange(12)},(415) {200 + caller // 10_000}-"
        f"{caller % 10_000:04d},00:{length // 60:02d}:{length % 60:02d},{wait},{'yes' if wait > 250 else 'no'}\n"
    )


def _twilio(number: int, chance: random.Random) -> str:
    moment, caller = _moment(chance), chance.randrange(600_000)
    sid, began = f"CA{number:032x}", format_datetime(moment)
    return (
        f'{sid},"{began}","{began}",,AC{7:032x},+141555501{chance.randrange(12):02d},,+1415{2_000_000 + caller},,'
        f'PN{7:032x},completed,"{began}","{began}",{chance.randrange(900)},-0.0085,USD,inbound,,,2010-04-01,,,,'
        f"/2010-04-01/Accounts/AC{7:032x}/Calls/{sid}\n"
    )
