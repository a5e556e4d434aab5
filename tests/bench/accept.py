"""Accepting: how many callers a second can say yes while Twilio takes a quarter of a second for each."""

from collections.abc import Iterator
from pathlib import Path

from tests.bench import webhooks
from tests.bench.figures import Figure, at_least, percentile
from tests.bench.flows import one_brand
from tests.bench.load import Load, send
from tests.bench.servers import environment, running
from tests.bench.slow_twilio import SECONDS as TWILIO_SECONDS
from tests.bench.slow_twilio import slow_twilio

THREADS = (8, 16, 32)
SETTLES = 1.0  # seconds
MEASURED = 6.0
SHARE = 0.85  # of what the threads could take if nothing but Twilio took time


def accept(directory: Path) -> Iterator[Figure]:
    """One worker, as many callers at once as it has WEB_THREADS; each caller's offer was made before."""
    flows = one_brand(directory / "flows")
    with slow_twilio() as twilio:
        for threads in THREADS:
            settings = environment(
                directory, flows, WEB_CONCURRENCY="1", WEB_THREADS=str(threads), TWILIO_API_URL=twilio
            )
            with running(directory, settings) as server:
                yield from _accepted(server.url, threads)


def accepts(url: str, calls: range, connections: int) -> Load:
    """Callers who press 1; ready when every one of them has heard the offer."""
    send(Load(url, calls))
    return Load(
        url,
        calls,
        connections,
        path=webhooks.ACCEPT,
        says=webhooks.TEXTED,
        more=webhooks.PRESSED_1,
        seconds=SETTLES + MEASURED + 0.5,
        ramp=TWILIO_SECONDS,
    )


def _accepted(url: str, threads: int) -> Iterator[Figure]:
    ideal = threads / TWILIO_SECONDS
    # More calls than can be taken in the time: the clients are busy to the end.
    calls = range(int(ideal * (SETTLES + MEASURED + 1)))
    sent = send(accepts(url, calls, threads))
    rate = sent.rate_between(SETTLES, SETTLES + MEASURED)
    yield at_least(f"accept: texts a second, WEB_THREADS={threads}", rate, SHARE * ideal, "/s")
    p50 = percentile(sent.latencies, 50) * 1000
    yield Figure(f"accept: p50 of the answer, WEB_THREADS={threads}", f"{p50:.0f} ms")
