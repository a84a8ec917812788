"""How the endpoints describe themselves in OpenAPI."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.views import APIView

from crm_api.components import page_name, ref
from crm_api.freshness import LAG_EVENTS, LAG_SECONDS
from crm_api.lists import MAX_SORT_FIELDS, MAX_VALUES, MAX_WORDS
from crm_api.problems import CONTENT_TYPE
from crm_api.responses import JSON
from crm_api.values import form_of, operators_of, parameter_name
from crm_mappings.registry import mapping_for_entity
from crm_mappings.schema import EntitySchema, FieldKind, FieldSpec
from crm_projections.ports.queries import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from crm_projections.ports.read_model import EXACT_COUNT_LIMIT, Operator

View = TypeVar("View", bound=type[APIView])
Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_READ_ERRORS = (400, 401, 403, 404, 429, 503)
_MEANINGS: Mapping[Operator, str] = {
    Operator.EQ: "equal to",
    Operator.NE: "not equal to, or null",
    Operator.IN: f"equal to one of up to {MAX_VALUES} values, with commas between them; empty matches nothing",
    Operator.GT: "greater than",
    Operator.GTE: "greater than or equal to",
    Operator.LT: "less than",
    Operator.LTE: "less than or equal to",
    Operator.CONTAINS: "contains the text, in upper or lower case",
    Operator.STARTSWITH: "starts with the text, in upper or lower case",
    Operator.ISNULL: "is null (true) or is not (false)",
}
_LIST_MEANINGS = {Operator.EQ: "has the value", Operator.IN: f"has one of up to {MAX_VALUES} values, with commas"}
_KIND_SCHEMAS: Mapping[FieldKind, Schema] = {
    FieldKind.BOOL: {"type": "boolean"},
    FieldKind.DATE: {"type": "string", "format": "date"},
    FieldKind.TIME: {"type": "string", "format": "date-time"},
    FieldKind.INT: {"type": "integer", "format": "int64"},
    FieldKind.ID: {"type": "string", "minLength": 15, "maxLength": 18},
    FieldKind.DECIMAL: {"type": "string", "format": "decimal"},
}


def query(name: str, schema: Schema, description: str) -> OpenApiParameter:
    """Return a query parameter."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)


def errors(*statuses: int) -> dict[tuple[int, str], Schema]:
    """Return the answers in problem details."""
    return {(status, CONTENT_TYPE): ref("Problem") for status in statuses}


def describe_events(view: View) -> View:
    """Describe where events are posted."""
    return extend_schema_view(
        post=extend_schema(
            operation_id="events_post",
            tags=["Ingest"],
            summary="Post events",
            description="Takes one event or an array of events: in the Event Relay envelope, the AppFlow variant, "
            "CometD, or decoded Pub/Sub. 202 means stored. An item that is no event we know is kept as a dead letter; "
            "all others go on. Scope: ingest.",
            request={JSON: ref("Events")},
            responses={(202, JSON): ref("Accepted"), **errors(400, 401, 403, 413, 415, 429, 503)},
            parameters=[header("Location", "Where to ask what became of the delivery.", 202)],
        )
    )(view)


def describe_deliveries(view: View) -> View:
    """Describe what tells the fate of a delivery."""
    wait = {"type": "integer", "minimum": 0, "maximum": 30, "default": 0}
    return extend_schema_view(
        get=extend_schema(
            operation_id="deliveries_get",
            tags=["Ingest"],
            summary="What became of a delivery",
            description="accepted: stored. recorded: in the log. projected: readable by id and broadcast, or parked "
            "and said so. While many requests wait, one more is answered at once. Scope: ingest or read.",
            responses={(200, JSON): ref("Delivery"), **errors(400, 401, 403, 404, 429, 503)},
            parameters=[
                path("delivery_id", "The id from the answer to the post."),
                query("wait", wait, "Wait up to so many seconds until the delivery is projected."),
            ],
        )
    )(view)


def describe_list(view: View) -> View:
    """Describe a list: of the view's entity with its fields, or of any."""
    entity = getattr(view, "entity", "")
    mapping = mapping_for_entity(entity)
    own = list(_filters(mapping.schema)) if mapping else [_any_filter(), _entity_path("The name of a mapped entity.")]
    return _describe_read(
        view,
        operation_id=f"{entity or 'entities'}_list",
        tags=[f"{entity.title()}s" if entity else "Any entity"],
        summary=f"A page of {entity}s" if entity else "A page of any entity",
        description="Filters are and-ed. Follow next; where pages by number end, it goes on as a walk. Scope: read.",
        responses={(200, JSON): ref(page_name(mapping)), **errors(*_READ_ERRORS)},
        parameters=[*_list_parameters(mapping.schema if mapping else None), *own],
    )


def describe_document(view: View) -> View:
    """Describe a document: of the view's entity, or of any."""
    entity = getattr(view, "entity", "")
    mapping = mapping_for_entity(entity)
    own = [] if mapping else [_entity_path("The name of a mapped entity.")]
    return _describe_read(
        view,
        operation_id=f"{entity or 'entities'}_get",
        tags=[f"{entity.title()}s" if entity else "Any entity"],
        summary=f"One {entity}" if entity else "One document of any entity",
        description="Readable as soon as its delivery is projected. Scope: read.",
        responses={(200, JSON): ref(mapping.dto.__name__ if mapping else "Document"), **errors(*_READ_ERRORS)},
        parameters=[_record_path(), _include_deleted(), _fields(mapping.schema if mapping else None), *own],
    )


def describe_history(view: View) -> View:
    """Describe the raw events of a record."""
    entity = getattr(view, "entity", "")
    own = [] if entity else [_entity_path("A mapped entity, or the name of any Salesforce object.")]
    limit = {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}
    moment = {"type": "string", "format": "date-time"}
    return _describe_read(
        view,
        operation_id=f"{entity or 'entities'}_events",
        tags=[f"{entity.title()}s" if entity else "Any entity"],
        summary="The raw events of a record",
        description="Every event as it came, in the order in which events fold, or in which they arrived. Scope: read.",
        responses={(200, JSON): ref("EventPage"), **errors(*_READ_ERRORS)},
        parameters=[
            _record_path(),
            query("order", {"type": "string", "enum": ["fold", "arrival"], "default": "fold"}, "The order of events."),
            query("limit", limit, "How many events at most."),
            query("cursor", _TEXT, "The cursor in next of the page before."),
            query("since", moment, "Committed at this moment or later; any offset."),
            query("until", moment, "Committed before this moment; any offset."),
            *own,
        ],
    )


def path(name: str, description: str, schema: Schema | None = None) -> OpenApiParameter:
    """Return a part of the address, a text unless its schema says otherwise."""
    return OpenApiParameter(name, schema or _TEXT, OpenApiParameter.PATH, required=True, description=description)


def _describe_read(view: View, **description: Any) -> View:
    parameters = [*description.pop("parameters"), *_freshness_headers()]
    return extend_schema_view(get=extend_schema(parameters=parameters, **description))(view)


def _list_parameters(schema: EntitySchema | None) -> Iterable[OpenApiParameter]:
    last = EXACT_COUNT_LIMIT // DEFAULT_PAGE_SIZE
    size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE}
    reach = f"From 1 to row {EXACT_COUNT_LIMIT:,} (page {last} of {DEFAULT_PAGE_SIZE} rows)."
    yield query("page", {"type": "integer", "minimum": 1, "default": 1}, reach)
    yield query("page_size", size, "How many rows a page has.")
    yield query("cursor", _TEXT, "Empty to begin a walk without end; then the cursor in next. Not with page.")
    name_like = ", ".join(schema.name_like) if schema else "its name-like fields"
    yield query("q", _TEXT, f"Up to {MAX_WORDS} words; each is the beginning of a word of {name_like}.")
    yield _sort(schema)
    yield _fields(schema)
    yield _include_deleted()


def _sort(schema: EntitySchema | None) -> OpenApiParameter:
    names = [spec.name for spec in schema.fields if spec.is_sortable] if schema else []
    items = {"type": "string", "enum": [*names, *(f"-{name}" for name in names)]} if names else _TEXT
    description = "- before a field for descending; nulls last; id breaks ties. Without it: by id."
    return _joined("sort", {"items": items, "maxItems": MAX_SORT_FIELDS}, description)


def _filters(schema: EntitySchema) -> Iterable[OpenApiParameter]:
    for spec in schema.fields:
        for operator in operators_of(spec):
            yield _filter(spec, operator)


def _filter(spec: FieldSpec, operator: Operator) -> OpenApiParameter:
    meanings = _LIST_MEANINGS if spec.kind is FieldKind.LIST else _MEANINGS
    description = f"{spec.name}: {meanings[operator]}. Value: {form_of(spec, operator).allowed}."
    return query(parameter_name(spec, operator), _filter_schema(spec, operator), description)


def _filter_schema(spec: FieldSpec, operator: Operator) -> Schema:
    if operator is Operator.ISNULL:
        return _KIND_SCHEMAS[FieldKind.BOOL]
    if operator in (Operator.IN, Operator.CONTAINS, Operator.STARTSWITH):
        return _TEXT
    return _KIND_SCHEMAS.get(spec.kind, _TEXT)


def _any_filter() -> OpenApiParameter:
    return OpenApiParameter(
        "filters",
        {"type": "object", "additionalProperties": _TEXT},
        OpenApiParameter.QUERY,
        style="form",
        explode=True,
        description="Filters by the entity's fields, such as name__contains=marine or amount__gte=1000. "
        "An unknown name is answered with the names there are.",
    )


def _fields(schema: EntitySchema | None) -> OpenApiParameter:
    items = {"type": "string", "enum": list(schema.by_name)} if schema else _TEXT
    return _joined("fields", {"items": items}, "Show only these fields; id and _meta are always there.")


def _joined(name: str, schema: Schema, description: str) -> OpenApiParameter:
    """Return a parameter of several names with commas between them."""
    names = {"type": "array", "minItems": 1, "uniqueItems": True, **schema}
    return OpenApiParameter(name, names, OpenApiParameter.QUERY, style="form", explode=False, description=description)


def _include_deleted() -> OpenApiParameter:
    return query(
        "include_deleted", {"type": "boolean", "default": False}, "Show deleted records with their last values."
    )


def _entity_path(description: str) -> OpenApiParameter:
    return path("entity", description)


def _record_path() -> OpenApiParameter:
    return path("entity_id", "The record's id, of 15 or 18 characters.")


def header(name: str, description: str, *statuses: int) -> OpenApiParameter:
    """Return a header of the answers of some statuses."""
    codes = [str(status) for status in statuses]
    return OpenApiParameter(name, _TEXT, OpenApiParameter.HEADER, description=description, response=codes)


def _freshness_headers() -> list[OpenApiParameter]:
    unknown = "unknown while the log does not answer."
    return [
        header(LAG_EVENTS, f"Events that the read model does not show yet; {unknown}", 200),
        header(LAG_SECONDS, f"For how many seconds the oldest of them has been waiting; {unknown}", 200),
    ]
