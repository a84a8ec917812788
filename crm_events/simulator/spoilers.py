"""Events that nobody can read, as they come by mistake; no change is lost by them."""

from collections.abc import Callable
from random import Random
from typing import Any

_Event = dict[str, Any]


def spoiled(event: _Event, rng: Random) -> _Event:
    """Return an event of the relay made unreadable in one of several ways."""
    return rng.choice(_SPOILERS)(event)


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
