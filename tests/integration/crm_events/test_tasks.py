"""Celery's shells: what they look for, and whom they wake."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from crm_events import tasks
from crm_events.domain.identifiers import StreamKey
from crm_events.models import Delivery
from tests.builders import TIMESTAMP, a_change, a_stream
from tests.integration.crm_events.delivering import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[StreamKey | str]:
    """Collect whom the tasks wake: streams for the projector, ``ingest`` for themselves."""
    found: list[StreamKey | str] = []
    monkeypatch.setattr(tasks, "wake_projector", found.extend)
    monkeypatch.setattr(tasks, "wake_ingest", lambda: found.append("ingest"))
    monkeypatch.setattr(tasks, "_BATCH", 2)
    return found


def deliver_some(number: int) -> list[str]:
    now = datetime.now(UTC) - timedelta(seconds=number)
    return [deliver(a_change(timestamp=TIMESTAMP + n * 1000), now=now + timedelta(seconds=n)) for n in range(number)]


def statuses() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("status", flat=True))


def test_a_wake_up_takes_a_batch_and_asks_for_the_next(woken: list[StreamKey | str]) -> None:
    deliver_some(3)
    assert tasks.process_deliveries() == 2
    assert statuses() == ["recorded", "recorded", "accepted"]
    assert woken == [a_stream(), "ingest"]


def test_the_last_batch_asks_for_no_other(woken: list[StreamKey | str]) -> None:
    deliver_some(1)
    assert tasks.process_deliveries() == 1
    assert woken == [a_stream()]


def test_the_sweep_goes_on_until_none_is_free() -> None:
    deliver_some(5)
    assert tasks.sweep_deliveries() == 5
    assert statuses() == ["recorded"] * 5


def test_the_sweep_gives_failed_ones_their_turn_before_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = deliver_some(3)
    Delivery.objects.filter(pk=ids[2]).update(attempts=1)
    monkeypatch.setattr(tasks, "wake_projector", _stop)
    with pytest.raises(KeyboardInterrupt):
        tasks.sweep_deliveries()
    assert statuses() == ["accepted", "accepted", "recorded"]


def test_old_finished_deliveries_are_removed(settings: Settings) -> None:
    settings.CRM_DELIVERY_RETENTION_DAYS = 14
    ids = deliver_some(2)
    Delivery.objects.update(status="recorded", recorded_at=datetime.now(UTC))
    Delivery.objects.filter(pk=ids[0]).update(recorded_at=datetime.now(UTC) - timedelta(days=15))
    assert tasks.remove_finished_deliveries() == 1
    assert Delivery.objects.get().pk == ids[1]


def _stop(_: object) -> None:
    raise KeyboardInterrupt
