import json
from datetime import timedelta

import pytest

from crm_events.models import Notice
from tests.builders import a_change
from tests.examples import an_example
from tests.integration.crm_events.delivering import NOW, deliver, delivered, names, outcomes, process

pytestmark = pytest.mark.django_db
OVERFLOW = json.loads(an_example("12-"))


def test_keeps_what_salesforce_said_of_the_object() -> None:
    delivery = deliver(a_change(), OVERFLOW)
    process()
    notice = Notice.objects.get()
    assert (notice.reason, notice.event_type, notice.entity_name) == ("overflow", "GAP_OVERFLOW", "Opportunity")
    assert (notice.delivery_id, notice.delivery_index, notice.received_at) == (delivery, 1, NOW)
    assert json.loads(notice.raw) == OVERFLOW
    assert notice.resolved_at is None


def test_keeps_one_however_often_it_arrives() -> None:
    deliver(OVERFLOW, OVERFLOW)
    again = deliver(OVERFLOW)
    process()
    assert names(delivered(OVERFLOW, now=NOW + timedelta(hours=1))) == ["resync"]
    assert names(outcomes(again)) == ["resync"]
    assert Notice.objects.count() == 1


def test_keeps_the_time_it_first_came() -> None:
    delivered(OVERFLOW)
    delivered(OVERFLOW, now=NOW + timedelta(hours=1))
    assert Notice.objects.get().received_at == NOW


def test_keeps_those_of_other_objects_apart() -> None:
    other = json.loads(an_example("12-").replace(b'"Opportunity"', b'"Lead"'))
    delivered(OVERFLOW, other)
    assert set(Notice.objects.values_list("entity_name", flat=True)) == {"Opportunity", "Lead"}


def test_tells_a_wildcard_from_an_overflow() -> None:
    delivered(json.loads(an_example("13-")))
    assert Notice.objects.get().reason == "wildcard"
