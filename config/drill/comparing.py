"""What the org really says against what the log and the documents say, record by record and field by field."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from config.drill.org import Org
from crm_events.backends import crm_source, event_store
from crm_events.cdc.times import epoch_ms
from crm_events.domain.identifiers import StreamKey
from crm_events.folding import StreamReader, fold_stream
from crm_events.ports.event_store import walk_streams
from crm_events.record import RecordState
from crm_events.record.comparing import row_differences
from crm_mappings.mapping import EntityMapping
from crm_mappings.registry import mapping_for_source
from crm_projections.backends import read_model
from crm_projections.services.documents import map_state

_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A record of which the org, the log and the documents do not say the same, and in which fields."""

    record: str
    where: str
    fields: Sequence[str]


def disagreements(org: Org) -> Iterator[Disagreement]:
    """Yield every record that is not the same everywhere."""
    for entity in org.objects():
        yield from _of_object(org, entity)


def _of_object(org: Org, entity: str) -> Iterator[Disagreement]:
    described = crm_source().describe(entity)
    columns = set(described.columns)
    types = {column.name: column.type for column in described.fields if column.name in columns}
    mapping = mapping_for_source(entity)
    seen: set[StreamKey] = set()
    for page in _batches(org.records(entity)):
        rows = {StreamKey(entity, row["fields"]["Id"]): _columns(row["fields"], columns) for row in page}
        seen |= rows.keys()
        states = _states(list(rows))
        for stream, row in rows.items():
            yield from _of_record(stream, row, states.get(stream), types)
        if mapping is not None:
            yield from _of_documents(mapping, rows)
    yield from _gone(entity, seen)


def _of_record(
    stream: StreamKey, row: Mapping[str, Any], state: RecordState | None, types: Mapping[str, str]
) -> Iterator[Disagreement]:
    if state is None:
        # A record that was made and deleted unseen is in the recycle bin, and nobody has to know it.
        if not row["IsDeleted"]:
            yield Disagreement(str(stream), "log", ("the whole record",))
        return
    if state.is_deleted and row["IsDeleted"]:
        return  # what a deleted record said last is nobody's truth any more
    fields = [one.column for one in row_differences(state, row, types)]
    if state.is_dirty:
        fields.append("still to be read again")
    if fields:
        yield Disagreement(str(stream), "log", fields)


def _of_documents(mapping: EntityMapping, rows: Mapping[StreamKey, Mapping[str, Any]]) -> Iterator[Disagreement]:
    """Map the org's own rows, without log and fold, and compare with the stored documents."""
    stored = read_model().get_many(mapping.entity, [stream.entity_id for stream in rows])
    for stream, row in rows.items():
        document = stored.get(stream.entity_id)
        if document is None or row["IsDeleted"]:
            if (document is None or not document.is_deleted) and not (document is None and row["IsDeleted"]):
                yield Disagreement(str(stream), "document", ("the whole document",))
            continue
        has = document.decode()
        wanted = map_state(mapping, stream, _as_state(row)).values
        # Commit times, which only events carry, may be later than the last modification that the row tells.
        fields = [name for name in wanted if name != "system_modified_stamp" and has.get(name) != wanted[name]]
        if fields:
            yield Disagreement(str(stream), "document", fields)


def _gone(entity: str, seen: set[StreamKey]) -> Iterator[Disagreement]:
    """Yield records that are gone for good and that the log takes for alive."""
    for page in walk_streams(event_store(), entity):
        missing = [head.stream for head in page.heads if head.stream not in seen]
        for stream, state in _states(missing).items():
            if not state.is_deleted:
                yield Disagreement(str(stream), "log", ("deleted for good",))


def _states(streams: Sequence[StreamKey]) -> dict[StreamKey, RecordState]:
    heads = event_store().heads(streams)
    read = StreamReader(event_store(), use_saved_states=False).read(list(heads.values()))
    return {stream: fold_stream(heads[stream], base, events).current for stream, (base, events) in read.items()}


def _as_state(row: Mapping[str, Any]) -> RecordState:
    fields = {name: value for name, value in row.items() if name not in ("Id", "IsDeleted")}
    return RecordState(
        fields, bool(row["IsDeleted"]), complete=True, system_modified_ms=epoch_ms(row["SystemModstamp"])
    )


def _columns(fields: Mapping[str, Any], columns: set[str]) -> dict[str, Any]:
    return {name: None if value == "" else value for name, value in fields.items() if name in columns}


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(rows)
    while batch := list(islice(rest, _AT_A_TIME)):
        yield batch
