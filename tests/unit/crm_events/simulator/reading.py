"""Read what an org sends as the service does, without its databases."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from crm_events.cdc import ParsedItem, parse_item, split_body
from crm_events.domain.events import NewEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.record import EMPTY, RecordState, fold
from crm_events.simulator.life.course import Life
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record, from_ms, moment_text
from crm_events.simulator.schema import OBJECTS

NOW = datetime(2026, 10, 6, 7, 20, 9, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def chance(seed: int = 1) -> Random:
    return Random(seed)  # noqa: S311  # an invented org needs no secrets


def a_lived_in_org(accounts: int = 20, seed: int = 1, **chances: float) -> SimulatedOrg:
    """Return an org with 90 days behind it, whose feed nobody has read; with these chances something went wrong."""
    org = SimulatedOrg(seed=seed, clock=Clock())
    for name, value in chances.items():
        org.switches.set(name, chance=value)
    for _ in Life(org).load_history(accounts):
        pass
    return org


def sent(org: SimulatedOrg) -> list[str]:
    """Return everything that waits on the feed, held back or not, and take it away."""
    org.feed.release()
    queued = org.feed.due(10**6, 10**9)
    org.feed.done([one.number for one in queued])
    return [one.event for one in queued]


def parsed(texts: Iterable[str]) -> list[ParsedItem]:
    return [parse_item(item, "delivery-1", 0) for text in texts for item in split_body(text.encode())]


def events(items: Iterable[ParsedItem]) -> list[NewEvent]:
    return [event for item in items for event in item.events]


def folded(found: Iterable[NewEvent]) -> dict[StreamKey, RecordState]:
    """Fold each stream in the order of positions, repeats once."""
    streams: defaultdict[StreamKey, dict[str, NewEvent]] = defaultdict(dict)
    for event in found:
        streams[event.stream][event.position] = event
    states = {}
    for stream, by_position in streams.items():
        state = EMPTY
        for _, event in sorted(by_position.items()):
            state = fold(state, event)
        states[stream] = state
    return states


def records(org: SimulatedOrg) -> dict[StreamKey, Record]:
    return {StreamKey(record.entity, record.id): record for record in org.store.find("true")}


def told(record: Record) -> Mapping[str, Any]:
    """Return the columns of a record that events carry."""
    return record.event_values()


def known(entity: str, state: RecordState) -> Mapping[str, Any]:
    """Return the fields of a folded record that have a value, in the texts and numbers of the store."""
    columns = OBJECTS[entity].columns
    return {name: _stored(columns[name].type, value) for name, value in state.fields.items() if value is not None}


def _stored(kind: str, value: Any) -> Any:
    if isinstance(value, int) and kind in ("date", "datetime"):  # as Pub/Sub has them
        moment = from_ms(value)
        return moment.date().isoformat() if kind == "date" else moment_text(moment)
    return float(value) if isinstance(value, Decimal) else value
