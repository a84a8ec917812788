from datetime import UTC, datetime, timedelta

import pytest
from celery import shared_task
from django.test import Client
from prometheus_client import Counter

from config.metrics import collector
from crm_api.auth import create_key
from crm_events.backends import event_store
from crm_events.models import OutcomeCount
from crm_events.ports.event_store import EventStoreUnavailableError, StoreStatistics

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def page(client: Client) -> str:
    return _page(client)


def _page(client: Client) -> str:
    _, key = create_key("prometheus", ["read"], NOW)
    answer = client.get("/metrics", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    return answer.content.decode()


@shared_task(name="tests.measured")  # type: ignore[untyped-decorator]
def measured() -> None:
    """Do nothing."""


def test_wants_a_key_that_may_read(client: Client) -> None:
    _, key = create_key("forwarder", ["ingest"], NOW)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": f"Bearer {key}"}).status_code == 403


def test_counts_events_by_outcome(client: Client) -> None:
    OutcomeCount.objects.create(minute=NOW, outcome="late", count=2)
    OutcomeCount.objects.create(minute=NOW + timedelta(minutes=1), outcome="late", count=3)
    assert 'crm_events_total{outcome="late"} 5.0' in _page(client)


def test_says_how_far_behind_the_readers_are(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = StoreStatistics(
        pending_streams=3, blocked_streams=1, dirty_streams=2, pending_events=7, oldest_pending_since=NOW
    )
    monkeypatch.setattr(type(event_store()), "statistics", lambda _: behind)
    families = {family.name: family for family in collector.ServiceCollector(NOW + timedelta(seconds=90)).collect()}
    assert families["crm_lag_events"].samples[0].value == 7
    assert families["crm_lag_seconds"].samples[0].value == 90
    assert families["crm_streams_blocked"].samples[0].value == 1


def test_shows_what_adapters_count_and_nothing_else_of_the_library_s_registry(client: Client) -> None:
    counter = Counter("crm_tests_adapter_calls", "Calls of an invented adapter.")
    counter.inc(3)
    page = _page(client)
    assert "crm_tests_adapter_calls_total 3.0" in page
    assert "python_info" not in page


def test_observes_requests_by_pattern_not_by_path(client: Client) -> None:
    client.get("/api/v1/clients/001000000000001AAA/")
    page = _page(client)
    assert 'route="api/v1/clients/<str:entity_id>/"' in page
    assert "001000000000001AAA" not in page


def test_observes_tasks(client: Client) -> None:
    measured.apply()
    assert 'crm_task_duration_seconds_count{state="success",task="tests.measured"}' in _page(client)


def test_knows_every_figure(page: str) -> None:
    for name in ("crm_lag_events", "crm_streams_dirty", "crm_deliveries_unfinished", "crm_documents_by_older_mapping"):
        assert f"# TYPE {name} gauge" in page


def test_answers_503_while_a_backend_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: object) -> None:
        raise EventStoreUnavailableError

    monkeypatch.setattr(type(event_store()), "statistics", down)
    _, key = create_key("prometheus", ["read"], NOW)
    answer = client.get("/metrics", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
