"""How the endpoints of runs describe themselves in OpenAPI."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view

from crm_api.components import ref
from crm_api.openapi import View, errors, header, path, query
from crm_api.responses import JSON

_TAG = ["Runs"]
_NUMBER: dict[str, Any] = {"type": "integer", "minimum": 1}
_LIMIT: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
_STATUSES = ["queued", "running", "paused", "cancelled", "failed", "done"]


def describe_runs(view: View) -> View:
    """Describe where runs are listed and started."""
    listed = extend_schema(
        operation_id="runs_list",
        tags=_TAG,
        summary="Runs, newest first",
        description="Backfills, replays, rebuilds, checks, repairs and resyncs. Follow next. Scope: read.",
        responses={(200, JSON): ref("RunPage"), **errors(400, 401, 403, 429, 503)},
        parameters=[
            query("kind", {"type": "string"}, "Only runs of this kind, such as backfill or check-ids."),
            query("status", {"type": "string", "enum": _STATUSES}, "Only runs that stand so."),
            query("limit", _LIMIT, "How many runs at most."),
            query("before", {"type": "integer", "minimum": 0}, "Only runs before this one, as in next."),
        ],
    )
    started = extend_schema(
        operation_id="runs_start",
        tags=_TAG,
        summary="Start a run",
        description="202: it is queued. 409: the same is under way, or Salesforce is not set up. Scope: operate.",
        request={JSON: ref("RunRequest")},
        responses={(202, JSON): ref("Run"), **errors(400, 401, 403, 409, 413, 415, 429, 503)},
        parameters=[header("Location", "Where the run is watched.", 202)],
    )
    return extend_schema_view(get=listed, post=started)(view)


def describe_run(view: View) -> View:
    """Describe what tells how far a run has come."""
    return extend_schema_view(
        get=extend_schema(
            operation_id="runs_get",
            tags=_TAG,
            summary="One run",
            description="Status, counts, rate, seconds left and log. Scope: read.",
            responses={(200, JSON): ref("Run"), **errors(400, 401, 403, 404, 429, 503)},
            parameters=[path("run_id", "The run's number.", _NUMBER)],
        )
    )(view)


def describe_steering(view: View) -> View:
    """Describe where a run is paused, resumed or cancelled."""
    asked = str(getattr(view, "steering", ""))
    return extend_schema_view(
        post=extend_schema(
            operation_id=f"runs_{asked}",
            tags=_TAG,
            summary=f"{asked.title()} a run",
            description="It is asked of the run, which does it after its present page. Scope: operate.",
            request={JSON: ref("RunSteering")},
            responses={(202, JSON): ref("Run"), **errors(400, 401, 403, 404, 409, 413, 415, 429, 503)},
            parameters=[path("run_id", "The run's number.", _NUMBER)],
        )
    )(view)


def describe_estimate(view: View) -> View:
    """Describe where a backfill is estimated."""
    return extend_schema_view(
        post=extend_schema(
            operation_id="runs_estimate",
            tags=_TAG,
            summary="What a backfill would take",
            description="Asks Salesforce for the number of rows; seconds is null before the first measured backfill."
            " Scope: operate.",
            request={JSON: ref("BackfillRequest")},
            responses={(200, JSON): ref("RunEstimate"), **errors(400, 401, 403, 409, 413, 415, 429, 503)},
        )
    )(view)


def describe_differences(view: View) -> View:
    """Describe what a check found."""
    return extend_schema_view(
        get=extend_schema(
            operation_id="runs_differences",
            tags=_TAG,
            summary="The differences that a check found",
            description="Each with its cause and what was done about it. Follow next. Scope: read.",
            responses={(200, JSON): ref("DifferencePage"), **errors(400, 401, 403, 404, 429, 503)},
            parameters=[
                path("run_id", "The run's number.", _NUMBER),
                query("limit", _LIMIT, "How many differences at most."),
                query("before", {"type": "integer", "minimum": 0}, "Only differences before this one, as in next."),
            ],
        )
    )(view)
