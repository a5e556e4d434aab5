"""PostgreSQL itself restarts, in order and by a crash, while callers say yes: none lost, none doubled."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
import requests
from sqlalchemy import text

from tests.chaos.cluster import Cluster, binaries, cluster
from tests.chaos.fleet import Fleet, fleet
from tests.databases import _upgrade, sqlalchemy_url

PLACE = binaries()
RESTARTS = ("fast", "immediate", "immediate")


@pytest.mark.skipif(PLACE is None, reason="no initdb and pg_ctl that may be run here: PostgreSQL is not restarted")
def test_postgresql_restarts_in_the_middle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert PLACE
    with cluster(PLACE) as server:
        _upgrade(sqlalchemy_url(server.url))
        with fleet(server.url, tmp_path, WEB_CONCURRENCY="2", WORKER="separate", DATABASE_CONNECTIONS="3") as here:
            here.web()
            worker = here.start("ivr", "worker")
            phases = _restarted(here, server)
            count = here.settle(150)
            assert worker.poll() is None, "the worker lives on"
            assert requests.get(f"{here.webhooks.app_url}/readyz", timeout=10).status_code == 200
    with capsys.disabled():
        print(f"\nPostgreSQL restarted ({', '.join(RESTARTS)}) in the middle: {count}")
    assert (count.lost, count.doubled) == (0, 0)
    assert all(later - earlier > 5 for earlier, later in pairwise(phases)), phases


def _restarted(here: Fleet, server: Cluster) -> list[int]:
    """Callers say yes before, between and after the restarts; how many had been written after each phase."""
    over, phases, starts = threading.Event(), [0], set()

    def callers() -> None:
        while not over.is_set():
            assert here.accept() == 200, "a caller always hears something"

    with ThreadPoolExecutor(3) as pool:
        calling = [pool.submit(callers) for _ in range(3)]
        try:
            for how in (*RESTARTS, None):
                threading.Event().wait(3)
                phases.append(_accepted(here))
                starts.add(_started_at(server))
                if how:
                    server.restart(how)
        finally:
            over.set()
        for caller in calling:
            caller.result()
    assert len(starts) == len(RESTARTS) + 1, "each of them was a restart"
    return phases


def _accepted(here: Fleet) -> int:
    with here.database.reads() as tx:
        return int(tx.execute(text("SELECT count(*) FROM deflections WHERE accepted_at IS NOT NULL")).scalar_one())


def _started_at(server: Cluster) -> object:
    with psycopg.connect(server.url) as connection:
        return connection.execute("SELECT pg_postmaster_start_time()").fetchone()
