"""Check: a thousand brands like Acme, read and judged by the command, as a release does."""

import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ivr.sandbox.town import ROOT
from tests.bench.figures import BenchFailed, Figure, at_most

BRANDS = 1000
BRANCHES = 20
ACME = (ROOT / "flows" / "acme.yaml").read_text(encoding="utf-8")


def check(directory: Path) -> Iterator[Figure]:
    """`check --strict`, which has nothing to say of them; and the same with a mistake in each."""
    flows = directory / "flows"
    flows.mkdir()
    for number in range(BRANDS):
        (flows / f"brand-{number}.yaml").write_text(_brand(number), encoding="utf-8")
    what = f"check: {BRANDS:,} brands x {BRANCHES} branches"
    cpu, seconds = _checked(flows, findings=0)
    yield at_most(f"{what}, CPU", cpu, 20.0, "s", digits=1)
    yield Figure(f"{what}, by the clock", f"{seconds:.1f} s")
    for file in flows.glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace("    skill:", "    skil:"), encoding="utf-8")
    cpu, _ = _checked(flows, findings=BRANDS * BRANCHES)
    yield at_most(f"{what}, a key misspelt in each, CPU", cpu, 20.0, "s", digits=1)


def _checked(flows: Path, findings: int) -> tuple[float, float]:
    """Seconds of CPU and by the clock. One thread works, so that on an idle machine the two are the same."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, "-m", "ivr", "check", "--strict", str(flows)], cwd=ROOT, capture_output=True, text=True
    )
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.stdout.count("\n") != findings:
        raise BenchFailed(f"The check had something else to say: {ended.stdout[:500]}{ended.stderr[-500:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, seconds


def _brand(number: int) -> str:
    """Acme with numbers of its own and copies of its second branch, each entered by a number."""
    copied = ACME[ACME.index("  bookings:\n") :]
    names = [f"bookings-{index}" for index in range(BRANCHES - 2)]
    copies = [re.sub("bookings:", f"{name}:", copied, count=1).replace("booking?", f"{name}?") for name in names]
    entries = "".join(f'  "{_number(number, index)}": {name}\n' for index, name in enumerate(names))
    text = ACME.replace("+1 415 555 0100", _number(number, 18)).replace("+1 415 555 0101", _number(number, 19))
    return text.replace("Acme Air", f"Brand {number}").replace("\nsender:", f"{entries}\nsender:") + "".join(copies)


def _number(brand: int, index: int) -> str:
    line = brand * 20 + index
    return f"+1 212 {200 + line // 10_000} {line % 10_000:04d}"
