"""`GET /metrics` for Prometheus: read from the rows at each scrape, so that every process says the same."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Connection

from ivr.store import counted, counts, watch
from ivr.store.count_tables import MEASURES
from ivr.store.counted import READABLE, Wanted
from ivr.web.entrance import opens
from ivr.web.guards import runtime

blueprint = Blueprint("metrics", __name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Rows:
    """What the database knows, as metrics."""

    def __init__(self, tx: Connection, now: datetime, volumes: bool) -> None:
        self._tx, self._now, self._volumes = tx, now, volumes

    def collect(self) -> Iterator[Metric]:
        texts = GaugeMetricFamily("ivr_texts_waiting", "Texts not sent yet, or given up.", labels=["state", "towards"])
        ages = GaugeMetricFamily("ivr_texts_oldest_seconds", "Age of the oldest of them.", labels=["state", "towards"])
        for state, towards, many, since in watch.standing(self._tx):
            texts.add_metric([state, towards], many)
            ages.add_metric([state, towards], max(0.0, (self._now - since).total_seconds()))
        yield from (texts, ages)
        mark = counts.upto(self._tx)
        if mark:
            age = (self._now - mark).total_seconds()
            yield GaugeMetricFamily("ivr_counts_age_seconds", "Since the worker counted last.", value=max(0.0, age))
        if self._volumes:
            yield from self._what_came()

    def _what_came(self) -> Iterator[Metric]:
        """Since the month began, in UTC: a new month is to Prometheus what a restart is."""
        month = self._now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        wanted = Wanted(month, self._now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1), {})
        found = counted.read(self._tx, wanted, ("brand", "branch"))
        for step in MEASURES:
            family = CounterMetricFamily(
                f"ivr_{step}", f"Offers by step: {step}, this month.", labels=["brand", "branch"]
            )
            for (brand, branch), measured in found.items():
                if step == "read" and not measured[READABLE]:
                    continue  # nobody knows, which is not none
                family.add_metric([brand, branch], measured[step])
            yield family
        lost = CounterMetricFamily("ivr_failed_by_reason", "Texts failed, this month.", labels=["brand", "reason"])
        for (brand, reason), many in counted.failures(self._tx, wanted, ("brand",)).items():
            lost.add_metric([brand, reason], many)
        yield lost
        talks = GaugeMetricFamily("ivr_conversations", "Conversations not closed.", labels=["brand", "state"])
        for brand, state, many in watch.talking(self._tx):
            talks.add_metric([brand, state], many)
        yield talks


@blueprint.get("/metrics")
def metrics() -> Response:
    """To who has DASHBOARD_PASSWORD (Basic). Where none is set, what waits alone: a brand's volumes are not public."""
    here = runtime()
    secured = bool(here.settings.dashboard_passwords)
    if secured and not _has_password():
        return Response("unauthorized", 401, {"WWW-Authenticate": 'Basic realm="metrics"'}, mimetype="text/plain")
    registry = CollectorRegistry(auto_describe=False)
    with here.database.reads() as tx:
        registry.register(_Rows(tx, here.now(), secured))
        body = generate_latest(registry)
    return Response(body, headers={"Cache-Control": "no-store"}, content_type=CONTENT_TYPE)


def _has_password() -> bool:
    given = request.authorization
    if given is None or given.type != "basic":
        return False
    opened, _ = opens("metrics", given.username or "", given.password or "")
    return opened
