"""Hypothesis strategies for the history of one record, and its order."""

from typing import Any

from hypothesis import strategies as st

from crm_events.domain.events import NewEvent
from crm_events.domain.identifiers import StreamKey
from tests.builders import TIMESTAMP, a_confirmed_deletion, a_new_event, a_snapshot, a_stream

ADDRESS_PARTS = ("Street", "City", "Country")
NAME_PARTS = ("FirstName", "LastName")
SIMPLE_FIELDS = ("Phone", "Amount__c", "IsActive__c", "Description")
# Every field of the invented object as an event's header names it.
FIELDS = (
    *SIMPLE_FIELDS,
    *(f"MailingAddress.{part}" for part in ADDRESS_PARTS),
    *(f"Name.{part}" for part in NAME_PARTS),
)
COMPOUNDS = {"MailingAddress": ADDRESS_PARTS, "Name": NAME_PARTS}

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
values = st.none() | texts | st.booleans() | st.integers(-(10**18), 10**18)
# Values of some fields by the names a header gives them; a missing field did not change.
changes = st.dictionaries(st.sampled_from(FIELDS), values, min_size=1)


def sparse(change: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a change as the relay sends it: nested, and nothing but what changed."""
    body: dict[str, Any] = {}
    for name, value in change.items():
        parent, dot, child = name.partition(".")
        if dot:
            body.setdefault(parent, {})[child] = value
        else:
            body[name] = value
    return body


def dense(change: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a change as Pub/Sub sends it: every field there is, null where it did not change."""
    return sparse(dict.fromkeys(FIELDS) | change)


def row(change: dict[str, Any]) -> dict[str, Any]:
    """Return the same values as the columns that REST has for them."""
    columns = {}
    for name, value in change.items():
        parent, _, child = name.rpartition(".")
        columns[f"Mailing{child}" if parent == "MailingAddress" else child] = value
    return columns


@st.composite
def an_event(draw: st.DrawFn, stream: StreamKey, timestamp: int) -> NewEvent:
    """Draw any event of a record at a time."""
    change = draw(changes)
    kind = draw(
        st.sampled_from(["CREATE", "UPDATE", "UPDATE", "UPDATE", "DELETE", "UNDELETE", "GAP_UPDATE", "ROW", "GONE"])
    )
    if kind == "ROW":
        full = draw(st.booleans())
        columns = row(change) | draw(st.sampled_from([{}, {"IsDeleted": "true"}, {"SystemModstamp": timestamp}]))
        return a_snapshot(columns, stream=stream, read_start=timestamp, full=full)
    if kind == "GONE":
        return a_confirmed_deletion(stream=stream, read_start=timestamp)
    if kind != "UPDATE":
        return a_new_event(kind, dense(change), stream=stream, timestamp=timestamp)
    # Some names come without their value, some by the name of their compound.
    hidden = draw(st.sets(st.sampled_from([*FIELDS, *COMPOUNDS]), max_size=1))
    return a_new_event("UPDATE", sparse(change), stream=stream, changed=[*change, *hidden], timestamp=timestamp)


@st.composite
def a_history(draw: st.DrawFn, stream: StreamKey | None = None, max_size: int = 12) -> list[NewEvent]:
    """Draw the events of one record in the order of their times, some within the same second."""
    stream = stream or a_stream(1, "Contact")
    steps = draw(st.lists(st.sampled_from([0, 1_000, 60_000]), min_size=1, max_size=max_size))
    events = [draw(an_event(stream, TIMESTAMP + sum(steps[:place]))) for place in range(1, len(steps) + 1)]
    return sorted({event.position: event for event in events}.values(), key=lambda event: event.position)
