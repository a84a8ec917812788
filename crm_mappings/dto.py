"""What normalized entities are made of: the types of their fields, and the fields every entity has.

Each type is a Python type whose JSON is what the public contract says, marked with its ``FieldKind``: schemas of read
models and the OpenAPI document are derived from the same annotation.
"""

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from crm_mappings.schema import FieldKind, FieldSpec


class NameLike:
    """Mark a text as one that the text search ``q`` looks at."""


Text = Annotated[str, FieldKind.TEXT]
NameText = Annotated[str, FieldKind.TEXT, NameLike()]
LongText = Annotated[str, FieldKind.LONG_TEXT]
# No pattern: what an id is, its transform knows better.
SalesforceId = Annotated[str, FieldKind.ID, Field(json_schema_extra={"minLength": 18, "maxLength": 18})]
Flag = Annotated[bool, FieldKind.BOOL]
IsoDate = Annotated[str, FieldKind.DATE, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", json_schema_extra={"format": "date"})]
IsoTime = Annotated[
    str,
    FieldKind.TIME,
    Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$", json_schema_extra={"format": "date-time"}),
]
Whole = Annotated[int, FieldKind.INT]
DecimalText = Annotated[
    str, FieldKind.DECIMAL, Field(pattern=r"^-?\d+(\.\d+)?$", json_schema_extra={"format": "decimal"})
]
TextList = Annotated[list[str], FieldKind.LIST]


class EntityDto(BaseModel):
    """The fields every normalized entity has; those of one entity follow, in the order of its class.

    The text below a field is its description in the OpenAPI document: it names the Salesforce field.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: SalesforceId
    """The record's id (Id), in 18 characters."""
    is_deleted: Flag
    """Whether the record is deleted in Salesforce (IsDeleted, or a DELETE event); never null."""
    created_date: IsoTime | None
    """When the record was created, UTC (CreatedDate)."""
    last_modified_date: IsoTime | None
    """When a user last changed the record, UTC (LastModifiedDate)."""
    system_modified_stamp: IsoTime | None
    """When a user or the system last changed the record, UTC (SystemModstamp, or the commit time of a later change)."""
    last_activity_date: IsoDate | None
    """The day of the last activity (LastActivityDate)."""
    owner_id: SalesforceId | None
    """The user or queue that owns the record (OwnerId)."""


def field_specs(dto: type[EntityDto]) -> tuple[FieldSpec, ...]:
    """Return the fields of a DTO with their kinds, in order.

    :raises ValueError: a field's type carries no ``FieldKind``, or more than one; the error's argument is its name.
    """
    return tuple(_field_spec(name, info) for name, info in dto.model_fields.items())


def _field_spec(name: str, info: FieldInfo) -> FieldSpec:
    marks = [*info.metadata, *_marks(info.annotation)]
    kinds = [mark for mark in marks if isinstance(mark, FieldKind)]
    if len(kinds) != 1:
        raise ValueError(name)
    return FieldSpec(name, kinds[0], any(isinstance(mark, NameLike) for mark in marks))


def _marks(annotation: Any) -> list[Any]:
    """Return everything marked anywhere within ``Annotated[...] | None``."""
    found = list(getattr(annotation, "__metadata__", ()))
    for inner in get_args(annotation):
        if inner not in found:
            found += _marks(inner)
    return found


def nullable_fields(dto: type[EntityDto]) -> frozenset[str]:
    """Return the names of the fields that can be null."""
    return frozenset(name for name, info in dto.model_fields.items() if type(None) in get_args(info.annotation))
