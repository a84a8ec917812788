"""Read what the demo sends as the service does, without its databases."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from crm_events.cdc import ItemFailure, Notice, ParsedItem, parse_item, split_body
from crm_events.cdc.json_text import encode_exact
from crm_events.demo import DemoOrg
from crm_events.domain.events import NewEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.record import EMPTY, RecordState, fold

NOW = datetime(2026, 10, 6, 7, 20, 9, tzinfo=UTC)


def chance(seed: int = 1) -> Random:
    return Random(seed)  # noqa: S311  # an invented org needs no secrets


def an_org(seed: int = 1, now: datetime = NOW, accounts: int = 60) -> DemoOrg:
    return DemoOrg(seed, now, accounts)


@cache
def history() -> list[dict[str, Any]]:
    return list(an_org().history())


@cache
def parsed_history() -> list[ParsedItem]:
    return [parsed(event) for event in history()]


def parsed(event: dict[str, Any]) -> ParsedItem:
    (item,) = split_body(encode_exact(event).encode())
    return parse_item(item, "delivery-1", 0)


def events(items: Iterable[ParsedItem]) -> list[NewEvent]:
    return [event for item in items for event in item.events]


def notices() -> list[Notice]:
    return [notice for item in parsed_history() for notice in item.notices]


def failures() -> list[ItemFailure]:
    return [failure for item in parsed_history() for failure in item.failures]


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
