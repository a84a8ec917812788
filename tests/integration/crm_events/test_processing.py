"""What becomes of deliveries on their way into the log."""

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from crm_events.adapters.memory import MemoryEventStore
from crm_events.cdc import BodyItem, ParsedItem, parse_item
from crm_events.models import Delivery, OutcomeCount
from crm_events.ports.event_store import AppendResult, EventStoreUnavailableError, StreamAppend
from crm_events.services import inbox, processing
from tests.builders import TIMESTAMP, a_change, a_stream, an_id
from tests.engines.defaults import DefaultEventStore
from tests.examples import an_example
from tests.integration.crm_events.delivering import (
    NOW,
    a_processor,
    deliver,
    delivered,
    letters,
    log_of,
    names,
    outcomes,
    process,
)

pytestmark = pytest.mark.django_db
OVERFLOW: dict[str, Any] = json.loads(an_example("12-"))


def at(second: int, **fields: Any) -> dict[str, Any]:
    """Return a change at a second of its own."""
    return a_change("UPDATE", fields or None, timestamp=TIMESTAMP + second * 1000)


class DownStore(DefaultEventStore):
    def append(self, appends: Sequence[StreamAppend], now: datetime) -> list[AppendResult]:
        raise EventStoreUnavailableError("no answer")


class CountingStore(DefaultEventStore):
    calls = 0

    def append(self, appends: Sequence[StreamAppend], now: datetime) -> list[AppendResult]:
        self.calls += 1
        return super().append(appends, now)


class TestOutcome:
    def test_is_recorded_for_a_new_event(self) -> None:
        (outcome,) = delivered(a_change("CREATE"))
        assert (outcome.index, outcome.outcome, outcome.entity, outcome.entity_id) == (0, "recorded", *a_stream())
        assert (outcome.version, outcome.detail) == (1, "")

    def test_is_late_for_an_event_older_than_the_newest(self) -> None:
        assert [(o.outcome, o.version) for o in delivered(at(5), at(1))] == [("recorded", 1), ("late", 2)]

    def test_is_duplicate_for_a_known_event(self) -> None:
        delivered(at(1), at(2))
        (outcome,) = delivered(at(1))
        assert (outcome.outcome, outcome.version) == ("duplicate", 1)

    def test_is_resync_for_news_of_a_whole_object(self) -> None:
        (outcome,) = delivered(OVERFLOW)
        assert (outcome.outcome, outcome.version) == ("resync", None)
        assert outcome.detail

    def test_is_unreadable_for_what_is_no_event(self) -> None:
        (outcome,) = delivered({"hello": "world"})
        assert (outcome.outcome, outcome.entity, outcome.version) == ("unreadable", "", None)
        assert outcome.detail == letters()[0].detail

    def test_stands_beside_the_index_of_its_item(self) -> None:
        found = delivered({"hello": "world"}, at(1), OVERFLOW, at(1))
        assert [(o.index, o.outcome) for o in found] == [
            (0, "unreadable"),
            (1, "recorded"),
            (2, "resync"),
            (3, "duplicate"),
        ]

    def test_is_one_for_each_record_of_a_merged_event(self) -> None:
        found = delivered(a_change(ids=[an_id(1), an_id(2), an_id(3)]))
        assert [(o.index, o.entity_id, o.outcome) for o in found] == [(0, an_id(n), "recorded") for n in (1, 2, 3)]

    def test_of_a_bad_record_leaves_the_others_of_its_event_alone(self) -> None:
        found = delivered(a_change(ids=[an_id(1), "nonsense", an_id(2)]))
        assert sorted(names(found)) == ["recorded", "recorded", "unreadable"]
        assert (letters()[0].code, letters()[0].record) == ("bad_record_id", "nonsense")
        assert [len(log_of(a_stream(n))) for n in (1, 2)] == [1, 1]

    def test_of_an_empty_request_is_none(self) -> None:
        delivery = deliver()
        process()
        assert outcomes(delivery) == []
        assert Delivery.objects.get().status == "recorded"

    def test_is_unreadable_for_an_org_that_is_not_allowed(self) -> None:
        delivery = deliver(a_change())
        process(a_processor(allowed_orgs=["00D000000000001"]))
        assert names(outcomes(delivery)) == ["unreadable"]
        assert letters()[0].code == "org_not_allowed"


class TestLog:
    def test_keeps_each_event_as_it_came(self) -> None:
        text = json.dumps(a_change("CREATE")).replace('"Lindqvist Marine AB"', '"L",  "Rate":1.50')
        inbox.accept(f"[{text}\n]".encode(), "a sender", NOW)
        process()
        assert [stored.event.raw for stored in log_of()] == [text]

    def test_names_delivery_and_index(self) -> None:
        delivery = deliver({"hello": "world"}, a_change())
        process()
        assert [(e.event.delivery_id, e.event.delivery_index) for e in log_of()] == [(delivery, 1)]

    def test_takes_more_events_of_one_stream_than_an_append_does(self) -> None:
        found = delivered(*[at(second) for second in range(250)])
        assert [o.version for o in found] == list(range(1, 251))
        assert len(log_of()) == 250

    def test_keeps_versions_in_order_of_arrival_across_deliveries(self) -> None:
        ids = [deliver(at(second), now=NOW + timedelta(seconds=second)) for second in range(3)]
        process()
        assert [outcomes(one)[0].version for one in ids] == [1, 2, 3]

    def test_returns_the_streams_that_got_events_once_each(self) -> None:
        deliver(at(1), at(2), a_change(stream=a_stream(2)))
        assert process() == [a_stream(1), a_stream(2)]


class TestDoneTwice:
    def test_is_recorded_not_duplicate_when_the_first_end_was_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The process died after the append, before the delivery was finished."""
        delivery = deliver(at(5), at(1))
        with monkeypatch.context() as patch:
            patch.setattr(processing, "finish_deliveries", _dies)
            with pytest.raises(KeyboardInterrupt):
                process()
        process(now=NOW + timedelta(minutes=1))
        assert [(o.outcome, o.version) for o in outcomes(delivery)] == [("recorded", 1), ("late", 2)]
        assert len(log_of()) == 2

    def test_counts_once_when_two_workers_had_the_same_delivery(self) -> None:
        """The claim of a slow worker was over, and another one took the delivery too."""
        deliver(at(1), {"hello": "world"})
        slow = inbox.claim(10, NOW)
        process(now=NOW + timedelta(minutes=1))
        a_processor().process(slow, NOW + timedelta(minutes=1))
        counts = OutcomeCount.objects.values_list("outcome", "count")
        assert sorted(counts) == [("recorded", 1), ("unreadable", 1)]
        assert len(letters()) == 1


class TestBadDelivery:
    @pytest.fixture
    def spoil(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """Make our own code fail on one delivery."""

        def spoiled(delivery: str) -> None:
            def parse(item: BodyItem, delivery_id: str, index: int, orgs: Collection[str] = ()) -> ParsedItem:
                if delivery_id == delivery:
                    raise ZeroDivisionError("our mistake")
                return parse_item(item, delivery_id, index, orgs)

            monkeypatch.setattr(processing, "parse_item", parse)

        return spoiled

    def test_does_not_hold_up_the_others(self, spoil: Callable[[str], None]) -> None:
        first, bad, last = (deliver(at(second), now=NOW + timedelta(seconds=second)) for second in range(3))
        spoil(bad)
        process()
        assert [names(outcomes(one)) for one in (first, bad, last)] == [["recorded"], [], ["recorded"]]

    def test_waits_before_it_is_tried_again(self, spoil: Callable[[str], None]) -> None:
        bad = deliver(at(1))
        spoil(bad)
        process()
        delivery = Delivery.objects.get(pk=bad)
        assert (delivery.status, delivery.attempts) == ("accepted", 1)
        assert delivery.last_error == "ZeroDivisionError: our mistake"
        assert delivery.claimed_until == NOW + timedelta(seconds=1)

    def test_ends_as_dead_letters_after_its_attempts(self, spoil: Callable[[str], None]) -> None:
        bad = deliver(at(1), at(2))
        spoil(bad)
        for minute in range(3):
            process(a_processor(max_attempts=3), now=NOW + timedelta(minutes=minute))
        assert (letters(), Delivery.objects.get().status) == ([], "accepted")
        process(a_processor(max_attempts=3), now=NOW + timedelta(minutes=3))
        assert names(outcomes(bad)) == ["unreadable", "unreadable"]
        assert [(one.code, one.delivery_index, one.payload) for one in letters()] == [
            ("delivery_gave_up", 0, json.dumps(at(1))),
            ("delivery_gave_up", 1, json.dumps(at(2))),
        ]
        assert "failed 3 times" in letters()[0].detail
        assert "our mistake" in letters()[0].detail

    def test_is_before_an_operator_within_a_minute(self, spoil: Callable[[str], None]) -> None:
        spoil(deliver(at(1)))
        sweeps = 0
        while not letters():
            process(now=NOW + timedelta(seconds=5 * sweeps))
            sweeps += 1
        assert 5 * (sweeps - 1) < 60

    def test_is_not_touched_again_once_it_is_given_up(self, spoil: Callable[[str], None]) -> None:
        """What killed its worker each time must not get another chance to."""
        bad = deliver(at(1))
        spoil(bad)
        Delivery.objects.update(attempts=5)
        process()
        assert names(outcomes(bad)) == ["unreadable"]
        assert dict(OutcomeCount.objects.values_list("outcome", "count")) == {"unreadable": 1}

    def test_is_kept_when_its_body_cannot_be_split_any_more(self) -> None:
        """Checked before the 202, so only a change of our own code can do this."""
        delivery = deliver(at(1))
        Delivery.objects.update(body="no JSON")
        process()
        assert names(outcomes(delivery)) == ["unreadable"]
        assert (letters()[0].code, letters()[0].payload) == ("not_json", "no JSON")


class TestLogDown:
    def test_gives_deliveries_back_without_an_attempt(self) -> None:
        deliver(at(1))
        with pytest.raises(EventStoreUnavailableError):
            process(a_processor(DownStore()))
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.attempts, delivery.last_error) == ("accepted", 0, "no answer")

    def test_loses_nothing_and_marks_nothing(self) -> None:
        delivery = deliver(at(1), {"hello": "world"})
        with pytest.raises(EventStoreUnavailableError):
            process(a_processor(DownStore()))
        assert (letters(), OutcomeCount.objects.count()) == ([], 0)
        process(now=NOW + timedelta(seconds=3))
        assert names(outcomes(delivery)) == ["recorded", "unreadable"]

    def test_never_gives_up_however_often_it_happens(self) -> None:
        delivery = deliver(at(1))
        for minute in range(9):
            with pytest.raises(EventStoreUnavailableError):
                process(a_processor(DownStore()), now=NOW + timedelta(minutes=minute))
        process(now=NOW + timedelta(minutes=9))
        assert names(outcomes(delivery)) == ["recorded"]


class TestManyEvents:
    def test_need_few_calls_of_the_store(self) -> None:
        _deliver_many()
        store = CountingStore()
        process(a_processor(store))
        assert store.calls == 2

    def test_need_few_statements(self, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        _deliver_many()
        # 3,000 events of 300 records in 20 requests; a statement for each of them would be thousands.
        with django_assert_max_num_queries(40):
            process()
        assert Delivery.objects.filter(status="recorded").count() == 20

    def test_reach_any_store_the_same(self) -> None:
        _deliver_many()
        memory = MemoryEventStore()
        process(a_processor(memory))
        assert [head.version for head in memory.list_streams("Account", 1_000).heads] == [10] * 300


def _deliver_many() -> None:
    for request in range(20):
        changes = [
            a_change(stream=a_stream(record), timestamp=TIMESTAMP + (request * 150 + record) * 1000)
            for record in range(request % 2 * 150, request % 2 * 150 + 150)
        ]
        deliver(*changes, now=NOW + timedelta(milliseconds=request))


def _dies(*_: object) -> None:
    raise KeyboardInterrupt
