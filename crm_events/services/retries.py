"""What operators do with dead letters: retry with today's code, or discard with a reason."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crm_events.cdc import BodyError, ItemFailure, ParsedItem, parse_item, split_body
from crm_events.domain.identifiers import StreamKey
from crm_events.models import DeadLetter
from crm_events.ports.event_store import EventStore
from crm_events.services.actions import Operator, record_action
from crm_events.services.appending import append_events
from crm_events.services.dead_letters import count_failed_retry
from crm_events.services.notices import keep_notices
from crm_events.services.wakeups import wake_projector


@dataclass(frozen=True, slots=True)
class RetryResult:
    """How a retry went: letters that passed, that failed again, and records that go to the projector once more."""

    passed: int
    failed: int
    waking: int


class DeadLetterDesk:
    """Retry and discard dead letters; every act is recorded with who, when and why."""

    def __init__(self, store: EventStore, allowed_orgs: Collection[str]) -> None:
        self._store = store
        self._allowed_orgs = frozenset(allowed_orgs)

    def retry(self, letters: Sequence[DeadLetter], operator: Operator, now: datetime) -> RetryResult:
        """Retry open letters: events are parsed again and appended, parked records are released to the projector.

        A parked record's letter closes when the projector succeeds.

        :raises EventStoreUnavailableError: the log is down; letters that did not pass stay as they are.
        """
        still_open = list(_open(letters).order_by("pk"))
        # First of all: an act that dies half way was tried nevertheless.
        _write_down("retry dead letter", still_open, operator, now)
        events = [letter for letter in still_open if letter.kind == DeadLetter.Kind.EVENT]
        parked = [letter for letter in still_open if letter.kind == DeadLetter.Kind.STREAM]
        passed, streams = self._retry_events(events, operator, now)
        released = [StreamKey(letter.entity_name, letter.record) for letter in parked]
        self._store.set_blocked(released, blocked=False)
        wake_projector([*streams, *released])
        return RetryResult(passed, len(events) - passed, len(released))

    def release(self, stream: StreamKey, operator: Operator, now: datetime) -> None:
        """Let a parked record be projected again, whatever became of its dead letter."""
        record_action(operator, "project again", str(stream), now)
        self._store.set_blocked([stream], blocked=False)
        wake_projector([stream])

    def discard(self, letters: Sequence[DeadLetter], operator: Operator, now: datetime) -> int:
        """Close open letters without handling them; return how many. A parked record stays parked.

        :raises ValueError: there is no reason.
        """
        if not operator.reason.strip():
            raise ValueError("Discarding needs a reason: say why these may be forgotten.")
        with transaction.atomic():
            # Locked, so that the audit names exactly those that this act closed.
            still_open = list(_open(letters).select_for_update().order_by("pk"))
            _write_down("discard dead letter", still_open, operator, now)
            return _open(still_open).update(
                resolved_at=now,
                resolution=DeadLetter.Resolution.DISCARDED,
                resolved_by=operator.name,
                reason=operator.reason,
            )

    def _retry_events(
        self, letters: Sequence[DeadLetter], operator: Operator, now: datetime
    ) -> tuple[int, list[StreamKey]]:
        parsed = [(letter, self._parse(letter)) for letter in letters]
        failing = [(letter, failure) for letter, item in parsed if (failure := _failure_of(letter, item))]
        failed = {letter.pk for letter, _ in failing}
        events = [event for _, item in parsed for event in item.events]
        append_events(self._store, events, now)
        with transaction.atomic():
            keep_notices([(letter.delivery_id, letter.delivery_index, item) for letter, item in parsed], now)
            # Not those that somebody else closed meanwhile: how they ended stays as it was.
            passed = _open([letter for letter in letters if letter.pk not in failed]).update(
                resolved_at=now,
                resolution=DeadLetter.Resolution.PASSED,
                resolved_by=operator.name,
                reason=operator.reason,
            )
            for letter, failure in failing:
                count_failed_retry(letter, failure, now)
        return passed, list(dict.fromkeys(event.stream for event in events))

    def _parse(self, letter: DeadLetter) -> ParsedItem:
        try:
            (item,) = split_body(f"[{letter.payload}]".encode())
        except (BodyError, ValueError):
            return ParsedItem((), (), ())
        return parse_item(item, letter.delivery_id, letter.delivery_index, self._allowed_orgs)


def _open(letters: Sequence[DeadLetter]) -> QuerySet[DeadLetter]:
    """Return those that are open now, whatever they were when somebody looked at them."""
    return DeadLetter.objects.filter(pk__in=[letter.pk for letter in letters], resolved_at=None)


def _write_down(verb: str, letters: Sequence[DeadLetter], operator: Operator, now: datetime) -> None:
    for letter in letters:
        record_action(operator, verb, f"dead letter {letter.pk}", now, {"code": letter.code})


def _failure_of(letter: DeadLetter, item: ParsedItem) -> ItemFailure | None:
    """Return why the letter's record still fails, or ``None``."""
    if not (item.events or item.notices or item.failures):
        detail = "The kept text is no single JSON value. Next: discard it with a reason."
        return ItemFailure(letter.code, detail, entity_name=letter.entity_name)
    for failure in item.failures:
        if not letter.record or not failure.record or failure.record[:100] == letter.record:
            return failure
    return None
