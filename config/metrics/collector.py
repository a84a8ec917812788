"""Figures of the whole service, read when Prometheus asks, from the backends that know them."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from config.metrics.reconciliation import call_figures, check_figures, feed_figures, run_figures
from crm_events import selectors
from crm_events.backends import event_store
from crm_mappings.registry import all_mappings
from crm_projections.backends import read_model


class ServiceCollector(Collector):
    """Collect at one point in time, given by the caller."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every figure.

        :raises CrmError: a backend does not answer.
        """
        yield self._outcomes()
        yield from self._backlog()
        yield self._dead_letters()
        yield self._older_documents()
        for figures in (run_figures, check_figures, feed_figures, call_figures):
            yield from figures(self._now)

    def _outcomes(self) -> Metric:
        family = CounterMetricFamily("crm_events", "Events taken in, by what became of them.", labels=["outcome"])
        for outcome, total in sorted(selectors.outcome_totals().items()):
            family.add_metric([outcome], total)
        return family

    def _backlog(self) -> Iterator[Metric]:
        figures = event_store().statistics()
        waiting, oldest_delivery = selectors.unfinished_deliveries()
        yield _gauge("crm_deliveries_unfinished", "Deliveries not in the log yet.", waiting)
        yield _gauge("crm_lag_events", "Events in the log that are not readable or sent yet.", figures.pending_events)
        oldest = min((since for since in (oldest_delivery, figures.oldest_pending_since) if since), default=None)
        seconds = max((self._now - oldest).total_seconds(), 0.0) if oldest else 0.0
        yield _gauge("crm_lag_seconds", "Age of the oldest change that is not readable or sent yet.", seconds)
        yield _gauge("crm_streams_pending", "Records with such changes.", figures.pending_streams)
        yield _gauge("crm_streams_blocked", "Records that are parked.", figures.blocked_streams)
        yield _gauge("crm_streams_dirty", "Records to be read again from Salesforce.", figures.dirty_streams)

    def _dead_letters(self) -> Metric:
        family = GaugeMetricFamily("crm_dead_letters_open", "Open dead letters, by cause.", labels=["code"])
        for code, count in sorted(selectors.dead_letter_counts().items()):
            family.add_metric([code], count)
        return family

    def _older_documents(self) -> Metric:
        family = GaugeMetricFamily(
            "crm_documents_by_older_mapping", "Documents that another mapping than today's made.", labels=["entity"]
        )
        for mapping in all_mappings():
            counts = read_model().count_by_mapping(mapping.entity)
            family.add_metric([mapping.entity], sum(counts.values()) - counts.get(mapping.fingerprint, 0))
        return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
