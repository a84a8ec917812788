"""The way from Salesforce to us, with what goes wrong on it: late, repeated and unreadable events."""

from collections.abc import Callable, Iterator
from itertools import cycle
from random import Random
from typing import Any

from crm_events.demo.changes import Change
from crm_events.demo.envelopes import new_uuid, relay, wrap

_HELD_BACK = 0.03
_REPEATED = 0.015
_Event = dict[str, Any]


class Courier:
    """Deliver changes as events.

    Now and then one is held back until a newer one of its record has gone ahead, or until ``patience`` others have;
    one is delivered again within as many, under a new EventBridge id; and each ``spoil_every`` changes, something comes
    that nobody can read (a change is never lost by it).
    """

    def __init__(self, rng: Random, patience: int, spoil_every: int) -> None:
        self._rng = rng
        self._patience = patience
        self._spoil_every = spoil_every
        self._spoilers = cycle(_SPOILERS)
        self._count = 0
        self._held: dict[str, tuple[int, _Event]] = {}
        self._repeats: list[tuple[int, _Event]] = []

    def deliver(self, change: Change) -> Iterator[_Event]:
        """Yield what arrives when a change is sent: often the one event, sometimes none or several."""
        self._count += 1
        yield from self._due()
        event = wrap(change, self._rng)
        if self._is_held_back(change, event):
            return
        yield event
        yield from (self._held.pop(record_id)[1] for record_id in change.record_ids if record_id in self._held)
        if self._rng.random() < _REPEATED:
            self._repeats.append((self._count + self._rng.randint(1, self._patience), event))
        if self._count % self._spoil_every == 0:
            yield next(self._spoilers)(relay(change, self._rng))

    def flush(self) -> Iterator[_Event]:
        """Yield what is still on its way."""
        self._count += self._patience
        yield from self._due()

    def _is_held_back(self, change: Change, event: _Event) -> bool:
        record_id, *others = change.record_ids
        if others or record_id in self._held or self._rng.random() >= _HELD_BACK:
            return False
        self._held[record_id] = (self._count + self._patience, event)
        return True

    def _due(self) -> Iterator[_Event]:
        # Few are on their way at a time.
        for record_id, (due, event) in list(self._held.items()):
            if due <= self._count:
                del self._held[record_id]
                yield event
        for due, event in self._repeats:
            if due <= self._count:
                yield {**event, "id": new_uuid(self._rng)} if "id" in event else event
        self._repeats = [repeat for repeat in self._repeats if repeat[0] > self._count]


def _without_header(event: _Event) -> _Event:
    """Return what a rule that lets too much through would send."""
    return {**event, "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


def _with_bitmaps(event: _Event) -> _Event:
    """Return what a Pub/Sub subscriber sends that does not turn bitmaps into names."""
    return _with_header(event, changeType="UPDATE", changedFields=["0x4C", "4-0x02"])


def _with_unknown_type(event: _Event) -> _Event:
    return _with_header(event, changeType="MERGE")


def _with_bad_id(event: _Event) -> _Event:
    record_ids = event["detail"]["payload"]["ChangeEventHeader"]["recordIds"]
    return _with_header(event, recordIds=[record_id[:-1] for record_id in record_ids[:1]])


def _with_header(event: _Event, **header: Any) -> _Event:
    event["detail"]["payload"]["ChangeEventHeader"].update(header)
    return event


_SPOILERS: tuple[Callable[[_Event], _Event], ...] = (_without_header, _with_bitmaps, _with_unknown_type, _with_bad_id)
