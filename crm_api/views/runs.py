"""Runs: started, steered, watched."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from rest_framework.request import Request

from crm_api.body import check_content_type, read_body
from crm_api.errors import BodyFault, BodyFaultsError, RunConflictError
from crm_api.openapi_runs import describe_differences, describe_estimate, describe_run, describe_runs, describe_steering
from crm_api.parameters import Parameters
from crm_api.responses import json_response, time_text
from crm_api.run_requests import (
    BackfillRequest,
    CheckRequest,
    RebuildRequest,
    ReplayRequest,
    read_estimate,
    read_run,
    read_steering,
)
from crm_api.views.base import Endpoint
from crm_events.backends import crm_source, drift_report, event_store, has_crm_source, runs
from crm_events.domain.drift import OF_SALESFORCE, OF_THE_WHOLE, run_kind
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import StreamKey, is_entity_name
from crm_events.entry import command_service
from crm_events.ports.commands import StartBackfill, StartRun, Steering, SteerRun
from crm_events.ports.crm_source import NoSourceError
from crm_events.ports.drift_report import DifferenceQuery
from crm_events.ports.runs import RunQuery, RunStatus, RunView, UnknownRunError
from crm_events.running import progress
from crm_events.services.expectations import expect
from crm_mappings.registry import all_mappings, mapping_for_entity, mapping_for_source

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
_MAX_BODY = 512 * 1024
_STATUSES = {status.value: status.value for status in RunStatus}
_RUN_NUMBER = re.compile(r"[0-9]{1,18}")


@describe_runs
class Runs(Endpoint):
    """All runs, and where one is started."""

    scopes: ClassVar[Mapping[str, Sequence[str]]] = {"GET": ["read"], "POST": ["operate"]}

    def get(self, request: Request) -> HttpResponse:
        """Return a page of runs, newest first."""
        parameters = self.read_parameters()
        status = parameters.choice("status", _STATUSES, "")
        kind = parameters.take("kind") or None
        before = parameters.number("before", 0, 0, 2**62)
        limit = parameters.number("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        parameters.finish(["status", "kind", "before", "limit"])
        statuses = [RunStatus(status)] if status else []
        found = runs().find(RunQuery([kind] if kind else [], None, statuses, limit, before or None))
        last = found[-1].id if len(found) == limit else None
        return json_response({"results": [_run(run) for run in found], "next": _next(request, parameters, last)})

    def post(self, request: Request) -> HttpResponse:
        """Queue a run; 202 means that its row is there and will be worked."""
        self.read_parameters().finish([])
        check_content_type(request)
        asked = read_run(read_body(request, _MAX_BODY))
        run_id = _start(asked, f"key {self.key.name}")
        location = request.build_absolute_uri(reverse("run", args=[run_id]))
        return json_response(_run(runs().get(run_id)), status=202, headers={"Location": location})


@describe_run
class Run(Endpoint):
    """One run."""

    def get(self, request: Request, run_id: str) -> HttpResponse:  # noqa: ARG002  # the framework's signature
        """Return how far the run has come."""
        self.read_parameters().finish([])
        return json_response(_run(runs().get(_number(run_id))))


class SteeredRun(Endpoint):
    """Where a run is paused, resumed or cancelled."""

    steering: ClassVar[Steering]
    scopes: ClassVar[Mapping[str, Sequence[str]]] = {"POST": ["operate"]}

    def post(self, request: Request, run_id: str) -> HttpResponse:
        """Ask it of the run, which does it after its present page."""
        self.read_parameters().finish([])
        body = read_body(request, _MAX_BODY)
        if body:
            check_content_type(request)
        reason = read_steering(body).reason
        number = _number(run_id)
        command = SteerRun(number, self.steering, f"key {self.key.name}", reason)
        if not command_service().steer_run(command, timezone.now()):
            status = runs().get(number).status.value
            raise RunConflictError(f"The run is {status}, so there is nothing to {self.steering}.")
        return json_response(_run(runs().get(number)), status=202)


def steering_view(steering: Steering) -> type[SteeredRun]:
    """Return the endpoint where one thing is asked of runs."""
    return describe_steering(type(f"{steering.title()}Run", (SteeredRun,), {"steering": steering}))


@describe_estimate
class Estimate(Endpoint):
    """Where a backfill is estimated before it is started."""

    scopes: ClassVar[Mapping[str, Sequence[str]]] = {"POST": ["operate"]}

    def post(self, request: Request) -> HttpResponse:
        """Return rows, calls and seconds; Salesforce is asked for the number of rows."""
        self.read_parameters().finish([])
        check_content_type(request)
        asked = read_estimate(read_body(request, _MAX_BODY))
        expected = expect(crm_source(), runs(), _object(asked.target), asked.parameters.options())
        return json_response(
            {
                "rows": expected.rows,
                "calls": expected.calls,
                "mode": expected.mode.value,
                "seconds": None if expected.seconds is None else round(expected.seconds),
            }
        )


@describe_differences
class Differences(Endpoint):
    """What a check found."""

    def get(self, request: Request, run_id: str) -> HttpResponse:
        """Return a page of differences, newest first."""
        number = runs().get(_number(run_id)).id
        parameters = self.read_parameters()
        before = parameters.number("before", 0, 0, 2**62)
        limit = parameters.number("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        parameters.finish(["before", "limit"])
        found = drift_report().find(DifferenceQuery(run_ids=[number], limit=limit, before=before or None))
        last = found[-1].number if len(found) == limit else None
        rows = [
            {
                "check": one.difference.check.value,
                "cause": one.difference.cause.value,
                "subject": one.difference.subject,
                "fields": list(one.difference.fields),
                "detail": one.difference.detail,
                "remedy": one.difference.remedy.value,
                "found_at": time_text(one.found_at),
            }
            for one in found
        ]
        return json_response({"results": rows, "next": _next(request, parameters, last)})


def _start(asked: BackfillRequest | ReplayRequest | RebuildRequest | CheckRequest, who: str) -> int:
    now = timezone.now()
    match asked:
        case BackfillRequest():
            if not has_crm_source():
                raise NoSourceError
            parameters = asked.parameters.options().to_parameters()
            command = StartBackfill(_object(asked.target), parameters, who, asked.reason)
            return command_service().start_backfill(command, now)
        case ReplayRequest():
            chosen = asked.parameters
            parameters = {"dry_run": chosen.dry_run, "broadcast": chosen.broadcast and not chosen.dry_run}
            start = StartRun("replay", _replay_target(asked.target), parameters, who, asked.reason)
        case RebuildRequest():
            start = StartRun("rebuild", _entity(asked.target), {}, who, asked.reason)
        case CheckRequest():
            start = StartRun(
                run_kind(asked.parameters.check),
                _check_target(asked),
                {"repair": asked.parameters.repair},
                who,
                asked.reason,
            )
    unfinished = runs().find_unfinished(start.kind, start.target)
    if unfinished is not None:
        raise RunConflictError(
            f"Run {unfinished.id} does the same and is {unfinished.status.value}. Wait for it, resume it or cancel it."
        )
    return command_service().start_run(start, now)


def _number(text: str) -> int:
    if not _RUN_NUMBER.fullmatch(text):
        raise UnknownRunError(text)
    return int(text)


def _object(name: str) -> str:
    mapping = mapping_for_entity(name)
    if mapping is None and not is_entity_name(name):
        raise _target_fault(f"“{name}” is the name of no object.")
    return mapping.source if mapping else name


def _entity(name: str) -> str:
    mapping = mapping_for_entity(name) or mapping_for_source(name)
    if mapping is None:
        raise _target_fault(f"There is no mapping for “{name}”.")
    return mapping.entity


def _replay_target(target: str) -> str:
    name, separator, entity_id = target.partition("#")
    if not separator:
        return _object(name) if name else ""
    try:
        stream = StreamKey.parse(f"{_object(name)}#{entity_id}")
    except InvalidIdError as error:
        raise _target_fault(str(error)) from error
    if stream not in event_store().heads([stream]):
        raise _target_fault(f"The log has no record {stream}.")
    return str(stream)


def _check_target(asked: CheckRequest) -> str:
    check = asked.parameters.check
    if check in OF_SALESFORCE and not has_crm_source():
        raise NoSourceError
    if check in OF_THE_WHOLE:
        return ""
    if not asked.target:
        raise _target_fault("This check looks at one object.")
    return _object(asked.target)


def _target_fault(detail: str) -> BodyFaultsError:
    names = sorted({name for mapping in all_mappings() for name in (mapping.entity, mapping.source)})
    return BodyFaultsError([BodyFault("/target", detail, names)])


def _run(run: RunView) -> dict[str, Any]:
    rate, left = progress.rate(run), progress.seconds_left(run)
    return {
        "id": run.id,
        "kind": run.kind,
        "target": run.target,
        "parameters": dict(run.parameters),
        "status": run.status.value,
        "counts": dict(run.counts),
        "done": progress.done(run),
        "total": run.total,
        "rate": None if rate is None else round(rate, 1),
        "seconds_left": None if left is None else round(left),
        "error": run.error,
        "log": list(run.log),
        "started_by": run.started_by,
        "reason": run.reason,
        "created_at": run.created_at and time_text(run.created_at),
        "started_at": run.started_at and time_text(run.started_at),
        "heartbeat_at": run.heartbeat_at and time_text(run.heartbeat_at),
        "not_before": run.not_before and time_text(run.not_before),
        "finished_at": run.finished_at and time_text(run.finished_at),
    }


def _next(request: Request, parameters: Parameters, last: int | None) -> str | None:
    """Return where the following page is, after the last row of a full one."""
    if last is None:
        return None
    query = urlencode({**parameters.given, "before": str(last)})
    return f"{request.build_absolute_uri(request.path)}?{query}"
