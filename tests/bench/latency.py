"""Latency: the offer and the plain route under the same arrivals, at half of what the offer can take."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.figures import Figure, at_most, percentile
from tests.bench.flows import one_brand
from tests.bench.load import Load, Sent, measured, send
from tests.bench.servers import PLAIN, Server, environment, running

RUNS = 5
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
        runs = [(_under(ours, rate, run), _under(plain, rate, run)) for run in range(RUNS)]
    sides = {"offer": [run[0] for run in runs], "plain route": [run[1] for run in runs]}
    tails = {name: median(percentile(sent.latencies, 99) for sent, _ in side) for name, side in sides.items()}
    ratio = tails["offer"] / tails["plain route"]
    yield at_most(f"latency: p99 at {rate:.0f} /s, offer : plain route", ratio, 2.0, "x")
    for name, side in sides.items():
        p50 = median(percentile(sent.latencies, 50) for sent, _ in side)
        yield Figure(f"latency: p50 and p99, {name}", f"{p50 * 1000:.1f} / {tails[name] * 1000:.1f} ms")
    # Unlike in a closed loop, both have the same load here; see "offer".
    cost = median(ours_cpu / plain_cpu for (_, ours_cpu), (_, plain_cpu) in runs)
    yield Figure(f"latency: CPU a request at {rate:.0f} /s, offer : plain route", f"{cost:.2f} x")


def _capacity(ours: Server, plain: Server) -> float:
    """Calls a second, closed-loop: the median of three runs. Both servers are warm afterwards."""
    send(Load(plain.url, range(-600, 0), workers=plain.workers))
    send(Load(ours.url, range(-600, 0), workers=ours.workers))
    ranges = [range(first, first + 2000) for first in (0, 2000, 4000)]
    return median(send(Load(ours.url, calls, workers=ours.workers)).rate for calls in ranges)


def _under(server: Server, rate: float, run: int) -> tuple[Sent, float]:
    calls = int(rate * SECONDS)
    first = 10_000 + run * calls
    load = Load(server.url, range(first, first + calls), CONNECTIONS, 1 / rate, workers=server.workers)
    return measured(load, server.cpu)
