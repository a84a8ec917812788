"""Show what a mapping makes of a record and why, without storing or sending anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_mappings.mapping import EntityMapping, FieldExplanation, SourceRecord


@dataclass(frozen=True, slots=True)
class Preview:
    """A normalized entity with the way of every field.

    ``values`` is the whole entity in JSON form; ``fields`` explain it, in the same order. ``unused`` are the names of
    the record's fields that the mapping does not look at, sorted.
    """

    source: str
    entity: str
    fingerprint: str
    values: Mapping[str, Any]
    fields: Sequence[FieldExplanation]
    unused: Sequence[str]

    @property
    def failed(self) -> list[FieldExplanation]:
        """Return the fields that became null because they could not be mapped."""
        return [field for field in self.fields if field.error]


def preview(mapping: EntityMapping, record: SourceRecord) -> Preview:
    """Map a record and explain every field."""
    fields = mapping.explain(record)
    used = {source for field in fields for source in field.sources}
    return Preview(
        source=mapping.source,
        entity=mapping.entity,
        fingerprint=mapping.fingerprint,
        values={field.field: field.value for field in fields},
        fields=fields,
        unused=sorted(record.fields.keys() - used),
    )
