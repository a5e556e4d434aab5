"""Beside: ours and the plain route under the same arrivals, in runs that take turns, and how their latencies compare."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.figures import BenchFailed, Figure, at_most, percentile
from tests.bench.load import Load, Sent, prepared
from tests.bench.pauses import Look, steady, usual, watched
from tests.bench.servers import Server

RUNS = 5
LEAST = 0.2  # of a run's answers; with fewer a run says nothing


@dataclass(frozen=True, slots=True)
class Run:
    sent: Sent
    looks: list[Look]
    cpu: float  # seconds a request


@dataclass(frozen=True, slots=True)
class Side:
    name: str
    runs: Sequence[Run]
    steady: Sequence[list[float]]  # of each run the latencies that are not near a pause of the machine's

    def percentile(self, percent: float) -> float:
        return median(percentile(latencies, percent) for latencies in self.steady)

    def p99_of_all(self) -> float:
        return median(percentile(run.sent.latencies, 99) for run in self.runs)

    def left_out(self) -> float:
        return 1 - sum(map(len, self.steady)) / sum(len(run.sent.latencies) for run in self.runs)


@dataclass(frozen=True, slots=True)
class Compared:
    ours: Side
    plain: Side

    def figures(self, what: str, limit: float) -> Iterator[Figure]:
        """The p99, ours : plain, each the median of its runs, held against `limit`; and what it is made of."""
        yield at_most(f"{what}, ours : plain route", self.ours.percentile(99) / self.plain.percentile(99), limit, "x")
        for side in (self.ours, self.plain):
            p50, p99 = side.percentile(50) * 1000, side.percentile(99) * 1000
            yield Figure(f"  p50 and p99, {side.name}", f"{p50:.1f} / {p99:.1f} ms")
            yield Figure(f"  left out, {side.name}: near a pause of the machine", f"{side.left_out():.0%}")
        of_all = self.ours.p99_of_all() / self.plain.p99_of_all()
        yield Figure("  p99 with what was left out, ours : plain route", f"{of_all:.2f} x")

    @property
    def cpu(self) -> float:
        """Of a request, ours : plain. Unlike in a closed loop, both have the same load here."""
        return median(ours.cpu / plain.cpu for ours, plain in zip(self.ours.runs, self.plain.runs, strict=True))


def compared(ours: Server, plain: Server, load: Callable[[Server, int], Load]) -> Compared:
    """`load`: what a server gets in its run of that number."""
    runs = [(_run(ours, load(ours, number)), _run(plain, load(plain, number))) for number in range(RUNS)]
    usually = usual([look for both in runs for run in both for look in run.looks])
    return Compared(
        _side("ours", [run for run, _ in runs], usually), _side("plain route", [run for _, run in runs], usually)
    )


def _side(name: str, runs: Sequence[Run], usually: float) -> Side:
    left = [steady(run.sent, run.looks, usually) for run in runs]
    if any(len(kept) < LEAST * len(run.sent.latencies) for kept, run in zip(left, runs, strict=True)):
        raise BenchFailed("The machine paused through most of a run; try again when it is quiet.")
    return Side(name, runs, left)


def _run(server: Server, load: Load) -> Run:
    with watched() as looks, prepared(load) as start:
        before = server.cpu()
        sent = start()
        cpu = (server.cpu() - before) / len(sent.answered)
        return Run(sent, looks(), cpu)
