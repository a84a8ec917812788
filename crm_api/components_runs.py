"""The named schemas of runs in the API's description."""

from collections.abc import Mapping
from typing import Any

from crm_api.run_requests import BackfillRequest, CheckRequest, RebuildRequest, ReplayRequest, SteeringRequest
from crm_events.domain.drift import Cause, Check, Remedy
from crm_events.ports.runs import RunStatus

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
_NEXT: Schema = {"type": ["string", "null"], "format": "uri", "description": "The following page, null at the end."}
_REF = "#/components/schemas/{model}"
_REQUESTS = (BackfillRequest, ReplayRequest, RebuildRequest, CheckRequest)


def run_components() -> dict[str, Schema]:
    """Return the schemas: requests from their models, answers as they are made."""
    schemas: dict[str, Schema] = {}
    for model in (*_REQUESTS, SteeringRequest):
        schema = model.model_json_schema(ref_template=_REF)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    schemas["RunSteering"] = schemas.pop("SteeringRequest")
    schemas["RunRequest"] = {"oneOf": [{"$ref": _REF.format(model=model.__name__)} for model in _REQUESTS]}
    return {**schemas, **_ANSWERS}


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _page(name: str) -> Schema:
    return _object({"results": {"type": "array", "items": {"$ref": _REF.format(model=name)}}, "next": _NEXT})


_ANSWERS: Mapping[str, Schema] = {
    "Run": _object(
        {
            "id": _COUNT,
            "kind": _TEXT,
            "target": _TEXT,
            "parameters": {"type": "object"},
            "status": {"type": "string", "enum": [status.value for status in RunStatus]},
            "counts": {"type": "object", "additionalProperties": _COUNT},
            "done": {**_COUNT, "description": "Rows, streams or records, of total."},
            "total": {"type": ["integer", "null"]},
            "rate": {"type": ["number", "null"], "description": "Done in a second of work."},
            "seconds_left": {"type": ["integer", "null"]},
            "error": _TEXT,
            "log": {"type": "array", "items": _TEXT},
            "started_by": _TEXT,
            "reason": _TEXT,
            "created_at": _TIME_OR_NULL,
            "started_at": _TIME_OR_NULL,
            "heartbeat_at": _TIME_OR_NULL,
            "not_before": {**_TIME_OR_NULL, "description": "Until then the run rests."},
            "finished_at": _TIME_OR_NULL,
        }
    ),
    "RunPage": _page("Run"),
    "RunEstimate": _object(
        {
            "rows": _COUNT,
            "calls": _COUNT,
            "mode": {"type": "string", "enum": ["rest", "bulk"]},
            "seconds": {"type": ["integer", "null"]},
        }
    ),
    "Difference": _object(
        {
            "check": {"type": "string", "enum": [check.value for check in Check]},
            "cause": {"type": "string", "enum": [cause.value for cause in Cause]},
            "subject": _TEXT,
            "fields": {"type": "array", "items": _TEXT},
            "detail": _TEXT,
            "remedy": {"type": "string", "enum": [remedy.value for remedy in Remedy]},
            "found_at": {"type": "string", "format": "date-time"},
        }
    ),
    "DifferencePage": _page("Difference"),
}
