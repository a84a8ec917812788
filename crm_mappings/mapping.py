"""A mapping: which normalized entity a Salesforce object becomes, and where each field comes from."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A Salesforce record as the fold left it: fields by their REST names, compounds flattened.

    Values are as JSON has them: text, bool, int, ``decimal.Decimal``, null; any wire form of dates and times.
    ``system_modified_ms`` is the newest of SystemModstamp and commit time of the changes folded (epoch milliseconds).
    """

    id: str
    fields: MappingType[str, Any]
    is_deleted: bool
    system_modified_ms: int | None


@dataclass(frozen=True, slots=True)
class MappingIssue:
    """A field that could not be mapped and became null."""

    field: str
    source_value: Any
    error: str


@dataclass(frozen=True, slots=True)
class MappedEntity:
    """A normalized entity: every field of the DTO in JSON form, and the fields that failed."""

    values: MappingType[str, Any]
    issues: tuple[MappingIssue, ...] = ()
