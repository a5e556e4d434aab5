"""Start: from nothing to the first answered webhook, and what the worker then weighs."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench import webhooks
from tests.bench.accept import accepts
from tests.bench.figures import Figure, at_most
from tests.bench.flows import one_brand
from tests.bench.load import Load, answer, send
from tests.bench.servers import connected, environment, running, started
from tests.bench.slow_twilio import slow_twilio

OFFERS = 200
ACCEPTS = 20


def start(directory: Path) -> Iterator[Figure]:
    """One worker on a database that is not there yet, so that a start makes its schema too."""
    flows = one_brand(directory / "flows")
    seconds = median(_first_answer(directory, flows) for _ in range(3))
    yield at_most("start: exec to the first answered webhook, 1 worker", seconds, 3.0, "s")
    with slow_twilio() as twilio:
        settings = environment(directory, flows, WEB_CONCURRENCY="1", TWILIO_API_URL=twilio)
        with running(directory, settings) as server:
            send(Load(server.url, range(OFFERS)))
            send(accepts(server.url, range(OFFERS, OFFERS + ACCEPTS), 4))
            what = f"start: resident, a worker after {OFFERS + ACCEPTS} offers and {ACCEPTS} texts"
            yield at_most(what, server.resident(), 120, "MB", digits=0)


def _first_answer(directory: Path, flows: Path) -> float:
    settings = environment(directory, flows, WEB_CONCURRENCY="1")
    request = webhooks.request(settings["PUBLIC_URL"], webhooks.OFFER, webhooks.form(0))
    began = time.monotonic()
    with started(directory / "start.log", settings) as process:
        with connected(int(settings["PORT"]), process) as connection:
            connection.sendall(request)
            answer(connection, webhooks.OFFERED)
        return time.monotonic() - began
