"""Builders of source records with boring defaults."""

from typing import Any

from crm_mappings.mapping import EntityMapping, SourceRecord
from crm_mappings.registry import mapping_for_entity

RECORD_ID = "001Qy00000KdT1aIAF"


def a_record(
    *,
    record_id: str = RECORD_ID,
    is_deleted: bool = False,
    system_modified_ms: int | None = None,
    **fields: Any,
) -> SourceRecord:
    return SourceRecord(record_id, fields, is_deleted, system_modified_ms)


def the_mapping(entity: str) -> EntityMapping:
    mapping = mapping_for_entity(entity)
    assert mapping is not None
    return mapping
