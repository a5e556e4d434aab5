"""Latency: the offer and the plain route under the same arrivals, at half of what the offer can take."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.beside import compared
from tests.bench.figures import Figure
from tests.bench.flows import one_brand
from tests.bench.load import Load, send
from tests.bench.servers import PLAIN, Server, environment, running

SECONDS = 5
# More than are ever under way at once: an arrival waits for the server, not for a connection to send on.
CONNECTIONS = 32


def latency(directory: Path) -> Iterator[Figure]:
    """p99 from the moment a call was due, in runs that take turns."""
    flows = one_brand(directory / "flows")
    with (
        running(directory, environment(directory, flows)) as ours,
        running(directory, environment(directory, flows), PLAIN) as plain,
    ):
        capacity = _capacity(ours, plain)
        yield Figure("latency: capacity of the offer, 2 workers, SQLite", f"{capacity:.0f} /s")
        rate = capacity / 2
        both = compared(ours, plain, lambda server, run: _arrivals(server, rate, run))
    yield from both.figures(f"latency: p99 at {rate:.0f} /s", 2.0)
    yield Figure("  CPU a request, ours : plain route", f"{both.cpu:.2f} x")


def _capacity(ours: Server, plain: Server) -> float:
    """Calls a second, closed-loop: the median of three runs. Both servers are warm afterwards."""
    send(Load(plain.url, range(-600, 0), workers=plain.workers))
    send(Load(ours.url, range(-600, 0), workers=ours.workers))
    ranges = [range(first, first + 2000) for first in (0, 2000, 4000)]
    return median(send(Load(ours.url, calls, workers=ours.workers)).rate for calls in ranges)


def _arrivals(server: Server, rate: float, run: int) -> Load:
    calls = int(rate * SECONDS)
    first = 10_000 + run * calls
    return Load(server.url, range(first, first + calls), CONNECTIONS, 1 / rate, workers=server.workers)
