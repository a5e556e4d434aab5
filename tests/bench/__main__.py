"""`python -m tests.bench [--strict] [NAME …]`: run the benches, print each figure beside its target."""

import argparse
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench.accept import accept
from tests.bench.check import check
from tests.bench.consumers import consumers
from tests.bench.dashboard import dashboard
from tests.bench.estimate import estimate
from tests.bench.figures import BenchFailed, Figure
from tests.bench.latency import latency
from tests.bench.millions import millions
from tests.bench.offer import brands, offer
from tests.bench.relay import relay
from tests.bench.start import start
from tests.bench.trip import trip
from tests.bench.waiting import waiting
from tests.bench.worker import worker

BENCHES: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "offer": offer,
    "latency": latency,
    "accept": accept,
    "start": start,
    "brands": brands,
    "check": check,
    "estimate": estimate,
    "consumers": consumers,
    "dashboard": dashboard,
    "worker": worker,
    "waiting": waiting,
    "relay": relay,
    "trip": trip,
    "millions": millions,
}
LONG = ("millions",)  # half an hour; run when they are named


def main(arguments: Sequence[str]) -> int:
    """Run the benches named, or all. 1 with --strict when a target is missed, 2 when it cannot be told."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What the server costs.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; all but {', '.join(LONG)} unless said"
    )
    parser.add_argument("--strict", action="store_true", help="fail when a target is missed")
    parsed = parser.parse_args(arguments)
    unknown = set(parsed.names) - set(BENCHES)
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are: {', '.join(BENCHES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and databases go with us
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores", flush=True)
    names = parsed.names or [name for name in BENCHES if name not in LONG]
    if not parsed.names:
        print(f"Left out, as it takes half an hour: {', '.join(LONG)} (make bench ARGS=millions)", flush=True)
    try:
        missed = [figure for name in names for figure in _run(BENCHES[name]) if not figure.met]
    except BenchFailed as failed:
        print(f"The bench failed: {failed}", file=sys.stderr)
        return 2
    return 1 if parsed.strict and missed else 0


def _run(bench: Callable[[Path], Iterator[Figure]]) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for figure in bench(Path(directory)):
            print(figure, flush=True)
            yield figure


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
