"""A mapping: which normalized entity a Salesforce object becomes, and where each field comes from."""

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Self

from pydantic import ValidationError

from crm_mappings.combining import Combine, first_filled, joined_or_last, only
from crm_mappings.dto import EntityDto, field_specs, nullable_fields
from crm_mappings.errors import MappingDeclarationError, TransformError
from crm_mappings.fingerprint import fingerprint_of
from crm_mappings.schema import EntitySchema
from crm_mappings.transforms import Transform, text

_ENTITY_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NEVER_NULL = frozenset({"id", "is_deleted"})
# What plain Python raises on data it did not expect. A transform that forgets to say TransformError costs its field,
# not the document; any other exception is a defect of the program and must be seen.
_DATA_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


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
    """A field that could not be mapped and became null.

    ``source_value`` is the raw value; of a field with several sources, those that are there by name. It may hold text
    that no database takes; ``error`` never does.
    """

    field: str
    source_value: Any
    error: str


@dataclass(frozen=True, slots=True)
class MappedEntity:
    """A normalized entity: every field of the DTO in JSON form, and the fields that failed."""

    values: MappingType[str, Any]
    issues: tuple[MappingIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldExplanation:
    """How one field of one record came about.

    ``raw`` holds the source values that the record has, by source name; ``error`` is empty unless the field failed.
    """

    field: str
    sources: tuple[str, ...]
    raw: MappingType[str, Any]
    transform: str
    combine: str
    value: Any
    error: str = ""


# What the fold knows about a record as a whole, under the names that full rows have for it.
_RECORD_FACTS: dict[str, Callable[[SourceRecord], Any]] = {
    "Id": attrgetter("id"),
    "IsDeleted": attrgetter("is_deleted"),
    "SystemModstamp": attrgetter("system_modified_ms"),
}


def _reader(source: str) -> Callable[[SourceRecord], Any]:
    return _RECORD_FACTS.get(source) or (lambda record: record.fields.get(source))


@dataclass(frozen=True, slots=True)
class MappedField:
    """Where one field of a DTO comes from: source names in REST form, one transform, and how several become one.

    The sources ``Id``, ``IsDeleted`` and ``SystemModstamp`` read what the fold knows, not the record's fields.
    """

    name: str
    sources: tuple[str, ...]
    transform: Transform
    combine: Combine = only

    @classmethod
    def of(cls, name: str, source: str, transform: Transform) -> Self:
        """Declare a field that is one source field, transformed."""
        return cls(name, (source,), transform)

    @classmethod
    def first_of(cls, name: str, sources: Sequence[str], transform: Transform) -> Self:
        """Declare a field that is the first of its sources that is neither null nor empty."""
        return cls(name, tuple(sources), transform, first_filled)

    @classmethod
    def joined(cls, name: str, parts: Sequence[str], otherwise: str) -> Self:
        """Declare a text of parts joined by one space; ``otherwise`` is its source where no part is filled."""
        return cls(name, (*parts, otherwise), text, joined_or_last)

    def raw_of(self, record: SourceRecord) -> dict[str, Any]:
        """Return the source values that the record has, by source name."""
        found = ((source, _reader(source)(record)) for source in self.sources)
        return {source: value for source, value in found if value is not None or source in record.fields}

    def computation(self) -> Callable[[SourceRecord], Any]:
        """Return the function that makes the field's value in JSON form; it raises ``TransformError``."""
        if self.combine is only and self.sources[0] not in _RECORD_FACTS:
            return _from_one_source(self.sources[0], self.transform.function)
        readers = [_reader(source) for source in self.sources]
        return lambda record: self.combine(self.transform, [read(record) for read in readers])


def _from_one_source(source: str, convert: Callable[[Any], Any]) -> Callable[[SourceRecord], Any]:
    # Transform.__call__ and only() written out: this runs for nearly every field of every change, most of them null.
    def value_of(record: SourceRecord) -> Any:
        raw = record.fields.get(source)
        return None if raw is None or raw == "" else convert(raw)

    return value_of


@dataclass(frozen=True)
class EntityMapping:
    """One entity type: Salesforce object, name of the entity, its DTO, and a ``MappedField`` for each field of it.

    :raises MappingDeclarationError: the declaration contradicts the DTO.
    """

    source: str
    entity: str
    dto: type[EntityDto]
    fields: tuple[MappedField, ...]

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise MappingDeclarationError(f"mapping {self.entity} <- {self.source}", problem)

    @cached_property
    def schema(self) -> EntitySchema:
        """Return the entity's fields and kinds, as its DTO declares them."""
        return EntitySchema(self.entity, self.source, field_specs(self.dto))

    @cached_property
    def fingerprint(self) -> str:
        """Return 16 hex characters that change with the declaration, the DTO's fields or the code of a transform.

        The same on every machine; comments, descriptions and layout of the code do not change it.
        """
        return fingerprint_of(
            declaration=[
                self.source,
                self.entity,
                [[each.name, each.sources, each.transform.name] for each in self.fields],
                [[spec.name, spec.kind, spec.name_like] for spec in self.schema.fields],
            ],
            dto_schema=self.dto.model_json_schema(),
            code=[(Transform,), *((each.transform.function, each.combine) for each in self.fields)],
        )

    @cached_property
    def _computations(self) -> tuple[tuple[str, Callable[[SourceRecord], Any]], ...]:
        return tuple((each.name, each.computation()) for each in self.fields)

    def apply(self, record: SourceRecord) -> MappedEntity:
        """Return the normalized entity; a field that fails is null and an issue, whatever the record holds."""
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for name, value_of in self._computations:
            try:
                values[name] = value_of(record)
            except TransformError as error:
                values[name], errors[name] = None, error.reason
            except _DATA_ERRORS as error:
                values[name], errors[name] = None, _unforeseen(error)
        checked = self._checked(values, errors)
        return MappedEntity(checked, self._issues(record, errors) if errors else ())

    def explain(self, record: SourceRecord) -> list[FieldExplanation]:
        """Return how each field of the entity comes about, in the order of the DTO."""
        mapped = self.apply(record)
        errors = {issue.field: issue.error for issue in mapped.issues}
        return [
            FieldExplanation(
                field=each.name,
                sources=each.sources,
                raw=each.raw_of(record),
                transform=each.transform.name,
                combine=each.combine.__name__.replace("_", " "),
                value=mapped.values[each.name],
                error=errors.get(each.name, ""),
            )
            for each in self.fields
        ]

    def _checked(self, values: dict[str, Any], errors: dict[str, str]) -> dict[str, Any]:
        """Return the values as the DTO has them; what it refuses becomes null and is added to the errors."""
        try:
            # Every type of a DTO is its own JSON form, so its attributes are the dump, at a tenth of the time.
            return dict(vars(self.dto.model_validate(values)))
        except ValidationError as error:
            refused = {str(detail["loc"][0]): detail["msg"] for detail in error.errors() if detail["loc"]}
        for name in refused.keys() - errors.keys():
            errors[name] = f"the transform gave a value that the field does not take: {refused[name]}"
        return {**values, **dict.fromkeys(refused.keys() - _NEVER_NULL)}

    def _issues(self, record: SourceRecord, errors: dict[str, str]) -> tuple[MappingIssue, ...]:
        failed = (each for each in self.fields if each.name in errors)
        return tuple(MappingIssue(each.name, _raw_value(each, record), errors[each.name]) for each in failed)

    def _problem(self) -> str:
        """Return what is wrong with the declaration, or nothing."""
        if not _ENTITY_NAME.fullmatch(self.entity):
            return "the entity's name must be lower-case letters, digits and underscores, such as work_order_line"
        try:
            kinds = {spec.name: spec.kind for spec in field_specs(self.dto)}
        except ValueError as error:
            return f"the type of the DTO's field {error} has no kind; use the types of crm_mappings.dto"
        names = [each.name for each in self.fields]
        if names != list(kinds):
            wrong = sorted(set(names) ^ set(kinds)) or names
            return f"the mapping and its DTO must have the same fields in the same order; look at {', '.join(wrong)}"
        not_nullable = sorted(kinds.keys() - nullable_fields(self.dto) - _NEVER_NULL)
        if not_nullable:
            return f"fields of the DTO must be nullable (| None); look at {', '.join(not_nullable)}"
        misfits = [each for each in self.fields if kinds[each.name] not in each.transform.kinds]
        return "; ".join(f"{each.name} is {kinds[each.name]}, not what {each.transform.name} gives" for each in misfits)


def _raw_value(mapped: MappedField, record: SourceRecord) -> Any:
    raw = mapped.raw_of(record)
    return raw.get(mapped.sources[0]) if len(mapped.sources) == 1 else raw


def _unforeseen(error: Exception) -> str:
    return f"the transform met a value that it does not foresee ({type(error).__name__}); correct the transform"
