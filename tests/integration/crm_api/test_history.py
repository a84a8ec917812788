from collections.abc import Sequence
from dataclasses import replace

import pytest

from crm_events.backends import event_store
from crm_events.domain.events import NewEvent
from crm_events.ports.event_store import StreamAppend
from tests.builders import TIMESTAMP, a_new_event, a_stream, an_id
from tests.integration.crm_api.api import NOW, Api, decoded, faults


def _append(*events: NewEvent) -> None:
    for event in events:
        event_store().append([StreamAppend(event.stream, [event])], NOW)


def _versions(api: Api, **parameters: str) -> Sequence[int]:
    return [event["version"] for event in api.results(f"clients/{an_id(1)}/events/", **parameters)]


def _three_seconds() -> None:
    """Version 3 comes late: it was committed between the other two."""
    for second in (0, 2, 1):
        _append(a_new_event(timestamp=TIMESTAMP + 1000 * second))


def test_an_event_is_shown_as_it_came_byte_for_byte(api: Api) -> None:
    raw = '{ "commitNumber":1791271236617203714, "Rate":1.50, "City":"Malm\\u00f6",\r\n "Big":1e400 }'
    _append(replace(a_new_event("CREATE"), raw=raw))
    response = api.get(f"clients/{an_id(1)}/events/")
    assert b'"raw":' + raw.encode() + b"}" in response.content


def test_an_event_says_version_identity_order_type_source_lateness_and_time(api: Api) -> None:
    event = a_new_event("CREATE")
    _append(event)
    [shown] = api.results(f"clients/{an_id(1)}/events/")
    assert list(shown) == ["version", "event_id", "order_key", "event_type", "source", "late", "recorded_at", "raw"]
    del shown["raw"]
    assert shown == {
        "version": 1,
        "event_id": event.event_id,
        "order_key": str(event.order_key),
        "event_type": "CREATE",
        "source": "cdc",
        "late": False,
        "recorded_at": "2026-10-06T07:20:40.123Z",
    }


@pytest.mark.parametrize("path", ["clients", "entities/client", "entities/Account"])
@pytest.mark.parametrize("length", [15, 18])
def test_events_are_found_by_entity_and_by_object(api: Api, path: str, length: int) -> None:
    _append(a_new_event())
    assert len(api.results(f"{path}/{an_id(1)[:length]}/events/")) == 1


def test_an_object_without_a_mapping_has_its_history(api: Api) -> None:
    stream = a_stream(1, "My_Object__c")
    _append(a_new_event(stream=stream))
    assert len(api.results(f"entities/My_Object__c/{stream.entity_id}/events/")) == 1


def test_events_stand_in_fold_order_unless_arrival_is_asked(api: Api) -> None:
    _three_seconds()
    assert _versions(api) == _versions(api, order="fold") == [1, 3, 2]
    assert _versions(api, order="arrival") == [1, 2, 3]
    assert [event["late"] for event in api.results(f"clients/{an_id(1)}/events/")] == [False, True, False]


@pytest.mark.parametrize("order", ["fold", "arrival"])
def test_pages_follow_one_another(api: Api, order: str) -> None:
    _three_seconds()
    first = decoded(api.get(f"clients/{an_id(1)}/events/", limit="2", order=order))
    second = decoded(api.follow(first["next"]))
    seen = [event["version"] for event in [*first["results"], *second["results"]]]
    assert (seen, second["next"]) == (_versions(api, order=order), None)


def test_since_is_included_and_until_is_not(api: Api) -> None:
    _three_seconds()
    first, middle, last = (f"2026-10-06T09:20:0{second}+02:00" for second in range(3))
    assert _versions(api, since=middle) == [3, 2]
    assert _versions(api, until=middle) == [1]
    assert _versions(api, since=first, until=last) == [1, 3]


def test_a_time_without_events_is_an_empty_page(api: Api) -> None:
    _append(a_new_event())
    page = decoded(api.get(f"clients/{an_id(1)}/events/", since="2030-01-01T00:00:00Z"))
    assert page == {"results": [], "next": None}


@pytest.mark.parametrize(
    "path",
    [
        f"clients/{an_id(2)}",
        f"entities/Contact/{an_id(1)}",
        "clients/nobody",
        f"entities/no such/{an_id(1)}",
        f"entities/é/{an_id(1)}",
        f"entities/%00/{an_id(1)}",
    ],
)
def test_a_record_without_events_is_a_404(api: Api, path: str) -> None:
    _append(a_new_event())
    assert api.get(f"{path}/events/").status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order", "backwards"),
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "many"),
        ("since", "yesterday"),
        ("until", "2026-10-06T07:20:36"),
        ("cursor", "nonsense"),
        ("page", "2"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(api: Api, name: str, value: str) -> None:
    _append(a_new_event())
    [fault] = faults(api.get(f"clients/{an_id(1)}/events/", **{name: value}))
    assert fault["parameter"] == name
    assert fault["allowed"]
