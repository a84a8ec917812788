"""From deliveries to the log: parse, fan out per record, append, keep what could not be read."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, transaction

from crm_events.cdc import BodyError, ItemFailure, ParsedItem, parse_item, split_accepted
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.outcomes import Outcome
from crm_events.models import Delivery
from crm_events.ports.dead_letters import DeadLetters, EventFailure
from crm_events.ports.event_store import Appended, EventStore, EventStoreUnavailableError
from crm_events.services import inbox
from crm_events.services.appending import append_events
from crm_events.services.notices import keep_notices
from crm_events.services.outcomes import count_outcomes, finish_deliveries
from crm_events.services.reconciliation.feeds import note_arrivals

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Work:
    """One delivery on its way: its items as they were parsed."""

    delivery: Delivery
    items: list[ParsedItem] = field(default_factory=list)
    payloads: list[str] = field(default_factory=list)


class DeliveryProcessor:
    """Bring claimed deliveries into the log."""

    def __init__(
        self, store: EventStore, dead_letters: DeadLetters, allowed_orgs: Collection[str], max_attempts: int
    ) -> None:
        self._store = store
        self._dead_letters = dead_letters
        self._allowed_orgs = frozenset(allowed_orgs)
        self._max_attempts = max_attempts

    def process(self, deliveries: Sequence[Delivery], now: datetime) -> list[StreamKey]:
        """Process deliveries and return the streams that got events.

        :raises EventStoreUnavailableError: the log is down; the deliveries were given back.
        :raises django.db.OperationalError: the operational database is down.
        """
        spent = [d for d in deliveries if d.attempts > self._max_attempts]
        self._give_up(spent, now)
        try:
            return self._process([d for d in deliveries if d.attempts <= self._max_attempts], now)
        except EventStoreUnavailableError as error:
            inbox.give_back(deliveries, now, str(error))
            raise

    def _process(self, deliveries: Sequence[Delivery], now: datetime) -> list[StreamKey]:
        try:
            return self._process_together(deliveries, now)
        except (EventStoreUnavailableError, OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001  # whatever one delivery does must not hold up the others
            if len(deliveries) <= 1:
                self._postpone(deliveries, error, now)
                return []
        # One of them is at fault: alone, it cannot hold up the others.
        return [stream for delivery in deliveries for stream in self._process([delivery], now)]

    def _postpone(self, deliveries: Sequence[Delivery], error: Exception, now: datetime) -> None:
        for delivery in deliveries:
            _log.error("delivery_failed", delivery=delivery.id, attempts=delivery.attempts, exc_info=error)
            inbox.postpone(delivery, now, f"{type(error).__name__}: {error}")

    def _process_together(self, deliveries: Sequence[Delivery], now: datetime) -> list[StreamKey]:
        works = [self._parse(delivery) for delivery in deliveries]
        events = [event for work in works for item in work.items for event in item.events]
        appended = append_events(self._store, events, now)
        self._finish(works, appended, now)
        return list(dict.fromkeys(event.stream for event in events))

    def _finish(self, works: Sequence[_Work], appended: dict[int, Appended], now: datetime) -> None:
        with transaction.atomic():
            # When our claim was over, somebody else may have finished some of them; what they held counts once.
            unfinished = inbox.lock_unfinished([work.delivery for work in works])
            works = [work for work in works if work.delivery.id in unfinished]
            outcomes = [list(_outcomes(work, appended)) for work in works]
            keep_notices([(w.delivery.id, index, item) for w in works for index, item in enumerate(w.items)], now)
            self._dead_letters.report_events([failure for work in works for failure in _failures(work)], now)
            finish_deliveries([work.delivery for work in works], outcomes, now)
            count_outcomes((outcome.outcome for part in outcomes for outcome in part), now)
            note_arrivals([event for work in works for item in work.items for event in item.events], now)

    def _parse(self, delivery: Delivery) -> _Work:
        work = _Work(delivery)
        try:
            items = split_accepted(delivery.body)
        except BodyError as error:
            # Checked before the 202, so only a change of our own code can bring us here; nothing may be lost by it.
            work.items.append(ParsedItem((), (), (ItemFailure(error.code, error.detail, "", "", ""),)))
            work.payloads.append(delivery.body)
            return work
        for index, item in enumerate(items):
            work.items.append(parse_item(item, delivery.id, index, self._allowed_orgs))
            work.payloads.append(item.raw)
        return work

    def _give_up(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        """Turn deliveries that failed too often into dead letters, one for each item, without touching them again."""
        for delivery in deliveries:
            detail = (
                f"The delivery failed {delivery.attempts - 1} times, the last time with:"
                f" {delivery.last_error or 'no word'}."
                " Next: read the error, then retry this item."
            )
            work = _Work(delivery, payloads=_raw_items(delivery.body))
            failure = ItemFailure("delivery_gave_up", detail, "", "", delivery.last_error[:100])
            work.items = [ParsedItem((), (), (failure,)) for _ in work.payloads]
            self._finish([work], {}, now)


def _raw_items(body: str) -> list[str]:
    try:
        return [item.raw for item in split_accepted(body)]
    except BodyError:
        return [body]


def _outcomes(work: _Work, appended: dict[int, Appended]) -> Iterator[Outcome]:
    for index, item in enumerate(work.items):
        for event in item.events:
            one = appended[id(event)]
            yield Outcome(index, str(one.outcome), *event.stream, one.version)
        for notice in item.notices:
            yield Outcome(index, "resync", notice.entity_name, notice.record_id, None, _NOTICE_DETAILS[notice.reason])
        for failure in item.failures:
            yield Outcome(index, "unreadable", failure.entity_name, failure.record, None, failure.detail)


_NOTICE_DETAILS = {
    "overflow": "Too many changes in one transaction came without values; the whole object has to be read again.",
    "wildcard": "A change of all records of the object came without values; the whole object has to be read again.",
}


def _failures(work: _Work) -> Iterator[EventFailure]:
    for index, item in enumerate(work.items):
        for failure in item.failures:
            yield EventFailure(
                code=failure.code,
                detail=failure.detail,
                payload=work.payloads[index],
                delivery_id=work.delivery.id,
                delivery_index=index,
                record=failure.record,
                entity_name=failure.entity_name,
                cause=failure.cause,
            )
