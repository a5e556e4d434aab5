"""Offers: what one costs in CPU, against the plain route on SQLite and on PostgreSQL, and with many brands loaded."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

from sqlalchemy import text

from ivr import config
from ivr.store.database import opened_once
from tests.bench.figures import BenchFailed, Figure, at_most
from tests.bench.flows import many_brands, one_brand
from tests.bench.load import Load, measured, send
from tests.bench.postgres import own_database
from tests.bench.servers import PLAIN, Server, environment, running

RUNS = 5
REQUESTS = 3000
WARM_UP = 600


def offer(directory: Path) -> Iterator[Figure]:
    """The signed offer, its rows written, against the plain route that writes nothing."""
    flows = one_brand(directory / "flows")
    with ExitStack() as stack:
        postgresql = stack.enter_context(own_database())
        settings = {"SQLite": environment(directory, flows)}
        if postgresql:
            settings["PostgreSQL"] = environment(directory, flows, DATABASE_URL=postgresql)
        servers = {name: stack.enter_context(running(directory, each)) for name, each in settings.items()}
        plain = stack.enter_context(running(directory, environment(directory, flows), PLAIN))
        costs = _interleaved({**servers, "plain": plain}, connections=8)
        for name in servers:
            _wrote_every_row(settings[name])
            ratio = _ratio(costs[name], costs["plain"])
            what = f"offer: CPU a request, {name} : plain route"
            # The target is SQLite's; PostgreSQL's round trips are printed beside it.
            yield at_most(what, ratio, 1.4, "x") if name == "SQLite" else Figure(what, f"{ratio:.2f} x")
    for name, cost in costs.items():
        yield Figure(f"offer: CPU a request, {name}", f"{median(cost) * 1e6:.0f} µs")
    if not postgresql:
        yield Figure("offer: PostgreSQL cannot be reached, so not measured on it", "")


def brands(directory: Path) -> Iterator[Figure]:
    """The same offer with 1,000 brands of 20 branches each loaded beside it."""
    few, many = one_brand(directory / "few"), many_brands(directory / "many")
    # One worker: how the connections fall to two differs from run to run, by as much as the target allows.
    alone, among = (environment(directory, flows, WEB_CONCURRENCY="1") for flows in (few, many))
    with running(directory, among) as loaded, running(directory, alone) as bare:
        costs = _interleaved({"one brand": bare, "1,000 brands": loaded}, connections=2)
        for settings in (alone, among):
            _wrote_every_row(settings)
        ratio = _ratio(costs["1,000 brands"], costs["one brand"])
        yield at_most("brands: CPU an offer, 1,000 brands x 20 branches : one brand", ratio, 1.1, "x")
        for name, server in (("one brand", bare), ("1,000 brands", loaded)):
            yield Figure(f"brands: start, {name}", f"{server.seconds:.1f} s")
            yield Figure(f"brands: resident, a worker, {name}", f"{server.resident():.0f} MB")


def _interleaved(servers: Mapping[str, Server], connections: int) -> Mapping[str, list[float]]:
    """Seconds of CPU a request, a figure a run; the servers take turns, so that a busy machine is busy for all."""
    loads = {
        name: Load(server.url, range(-WARM_UP, 0), connections, workers=server.workers)
        for name, server in servers.items()
    }
    documents = {name: send(load).documents for name, load in loads.items()}
    if len(frozenset().union(*documents.values())) != 1:
        raise BenchFailed(f"The servers compared do not say the same: {documents}")
    costs: dict[str, list[float]] = {name: [] for name in servers}
    for run in range(RUNS):
        calls = range(run * REQUESTS, (run + 1) * REQUESTS)
        for name, server in servers.items():
            costs[name].append(measured(replace(loads[name], calls=calls), server.cpu)[1])
    return costs


def _ratio(costs: list[float], against: list[float]) -> float:
    return median(cost / other for cost, other in zip(costs, against, strict=True))


def _wrote_every_row(settings: Mapping[str, str]) -> None:
    expected = WARM_UP + RUNS * REQUESTS
    with opened_once(config.read(settings).database_url) as database, database.reads() as tx:
        found = tx.execute(text("SELECT count(*) FROM deflections JOIN calls USING (call_sid)")).scalar_one()
    if found != expected:
        raise BenchFailed(f"{found} offers are in the database, not {expected}.")
