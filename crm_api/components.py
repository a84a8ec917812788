"""The named schemas of the API's description: documents from their DTOs, and everything that is no entity."""

from collections.abc import Mapping
from typing import Any

from crm_api.components_runs import run_components
from crm_mappings.mapping import EntityMapping
from crm_mappings.registry import all_mappings

Schema = dict[str, Any]
_TIME: Schema = {"type": "string", "format": "date-time"}
_TEXT: Schema = {"type": "string"}


def ref(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def page_name(mapping: EntityMapping | None) -> str:
    """Return the name of the schema of a list."""
    return f"{mapping.dto.__name__ if mapping else 'Document'}Page"


def add_components(result: Schema, **_context: Any) -> Schema:
    """Put the named schemas into the description; a hook of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_FIXED)
    schemas.update(run_components())
    schemas["DocumentPage"] = _page("Document")
    for mapping in all_mappings():
        schemas[mapping.dto.__name__] = _document(mapping)
        schemas[page_name(mapping)] = _page(mapping.dto.__name__)
    return result


def _document(mapping: EntityMapping) -> Schema:
    schema = mapping.dto.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schema.pop("additionalProperties", None)
    # The parameter fields leaves out all others.
    return {**schema, "required": ["id", "_meta"], "properties": {**schema["properties"], "_meta": ref("Meta")}}


def _page(document: str) -> Schema:
    url = {"type": ["string", "null"], "format": "uri"}
    properties: Mapping[str, Schema] = {
        "results": {"type": "array", "items": ref(document)},
        "count": {"type": "integer", "description": "How many there are in all; taken at the start of a walk."},
        "count_is_lower_bound": {"type": "boolean", "description": "True beyond 10,000: there are at least so many."},
        "next": {**url, "description": "The following page, null at the end."},
        "previous": {**url, "description": "The page before, null at the start and in walks."},
    }
    return _object(properties)


def _object(properties: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


_FIXED: Mapping[str, Schema] = {
    "Problem": {
        "description": "Problem details (RFC 9457).",
        **_object(
            {
                "type": {"type": "string", "format": "uri-reference"},
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": _TEXT,
                "errors": {"type": "array", "items": ref("Fault")},
            },
            optional=("errors",),
        ),
    },
    "Fault": {
        "description": "One thing wrong with a parameter, or with the body at a JSON pointer.",
        **_object(
            {
                "parameter": _TEXT,
                "pointer": _TEXT,
                "code": _TEXT,
                "detail": _TEXT,
                "allowed": {"type": "array", "items": _TEXT},
            },
            optional=("parameter", "pointer", "code", "allowed"),
        ),
    },
    "Events": {
        "description": "One Salesforce change event, or an array of them. An item of an array that is no event we "
        "know, whatever it is, is kept as a dead letter.",
        "oneOf": [{"type": "object"}, {"type": "array", "items": {}}],
    },
    "Accepted": _object(
        {"delivery": {**_TEXT, "description": "The delivery's id."}, "received": {"type": "integer", "minimum": 0}}
    ),
    "Delivery": _object(
        {
            "id": _TEXT,
            "status": {"type": "string", "enum": ["accepted", "recorded", "projected"]},
            "received": {"type": "integer", "minimum": 0},
            "received_at": _TIME,
            "outcomes": {"type": "array", "items": ref("Outcome")},
        }
    ),
    "Outcome": {
        "description": "What became of an item; an item of several records has one for each, with the same index.",
        **_object(
            {
                "index": {"type": "integer", "minimum": 0},
                "outcome": {"type": "string", "enum": ["recorded", "late", "duplicate", "resync", "unreadable"]},
                "entity": {"type": ["string", "null"]},
                "entity_id": {"type": ["string", "null"]},
                "version": {"type": ["integer", "null"]},
                "detail": {"type": ["string", "null"]},
            }
        ),
    },
    "Meta": {
        "description": "Where a document comes from.",
        **_object(
            {
                "version": {"type": "integer", "description": "Events of the record folded into it."},
                "order_key": {**_TEXT, "description": "Order key of the newest of them."},
                "complete": {"type": "boolean", "description": "False until the whole record was seen once."},
                "mapping": {**_TEXT, "description": "Fingerprint of the mapping that made it."},
                "projected_at": _TIME,
                "issues": {"type": "array", "items": ref("MappingIssue")},
            },
            optional=("issues",),
        ),
    },
    "MappingIssue": {
        "description": "A field that could not be mapped and is null.",
        **_object({"field": _TEXT, "error": _TEXT}),
    },
    "Document": {
        "description": "A document of any entity: the fields of its mapping, and where it comes from.",
        "type": "object",
        "properties": {"id": _TEXT, "is_deleted": {"type": "boolean"}, "_meta": ref("Meta")},
        "required": ["id", "_meta"],
    },
    "Event": _object(
        {
            "version": {"type": "integer", "minimum": 1},
            "event_id": _TEXT,
            "order_key": _TEXT,
            "event_type": _TEXT,
            "source": {"type": "string", "enum": ["cdc", "backfill", "gap_repair", "reconciliation"]},
            "late": {"type": "boolean"},
            "recorded_at": _TIME,
            "raw": {"type": "object", "description": "The event as it came."},
        }
    ),
    "EventPage": _object(
        {
            "results": {"type": "array", "items": ref("Event")},
            "next": {
                "type": ["string", "null"],
                "format": "uri",
                "description": "The following page, null at the end.",
            },
        }
    ),
}
