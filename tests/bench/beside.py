"""Beside: ours and the plain route under the same arrivals, in runs that take turns, and how their latencies compare."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from tests.bench.figures import BenchFailed, Figure, at_most, percentile
from tests.bench.load import Load, prepared
from tests.bench.pauses import steady, watched
from tests.bench.servers import Server

RUNS = 5
LEAST = 0.4  # of a run's answers; of fewer nothing can be told


@dataclass(frozen=True, slots=True)
class Run:
    latencies: list[float]
    steady: list[float]  # those of them that no pause of the machine's may have made
    cpu: float  # seconds a request


@dataclass(frozen=True, slots=True)
class Compared:
    ours: list[Run]
    plain: list[Run]

    def figures(self, what: str, limit: float) -> Iterator[Figure]:
        """The p99, ours : plain, each the median of its runs, held against `limit`; and what it is made of."""
        ours, plain = (_percentile(side, 99) for side in (self.ours, self.plain))
        yield at_most(f"{what}, ours : plain route", ours / plain, limit, "x")
        for name, side in (("ours", self.ours), ("plain route", self.plain)):
            p50, p99 = _percentile(side, 50), _percentile(side, 99)
            yield Figure(f"  p50 and p99, {name}", f"{p50 * 1000:.1f} / {p99 * 1000:.1f} ms")
        with_pauses = [median(percentile(run.latencies, 99) for run in side) for side in (self.ours, self.plain)]
        runs = self.ours + self.plain
        left_out = 1 - sum(len(run.steady) for run in runs) / sum(len(run.latencies) for run in runs)
        yield Figure("  left out, as the machine itself was slow then", f"{left_out:.1%}")
        yield Figure("  p99 with those, ours : plain route", f"{with_pauses[0] / with_pauses[1]:.2f} x")

    @property
    def cpu(self) -> float:
        """Of a request, ours : plain. Unlike in a closed loop, both have the same load here."""
        return median(ours.cpu / plain.cpu for ours, plain in zip(self.ours, self.plain, strict=True))


def compared(ours: Server, plain: Server, load: Callable[[Server, int], Load]) -> Compared:
    """`load`: what a server gets in its run of that number."""
    runs = [(_run(ours, load(ours, number)), _run(plain, load(plain, number))) for number in range(RUNS)]
    return Compared([run for run, _ in runs], [run for _, run in runs])


def _run(server: Server, load: Load) -> Run:
    with watched() as slow, prepared(load) as start:
        before = server.cpu()
        sent = start()
        cpu = (server.cpu() - before) / len(sent.answered)
        kept = steady(sent, slow())
    if len(kept) < LEAST * len(sent.latencies):
        raise BenchFailed("The machine itself was slow for most of a run; try again when it is quiet.")
    return Run(sent.latencies, kept, cpu)


def _percentile(side: list[Run], percent: float) -> float:
    return median(percentile(run.steady, percent) for run in side)
