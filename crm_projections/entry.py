"""Where the read side is put together: the services over the adapters that settings name, once per process."""

from functools import cache

from django.conf import settings

from crm_events.backends import dead_letters, drift_report, event_store, runs
from crm_events.domain.drift import Check, run_kind
from crm_events.running.runner import Runner, RunWorker
from crm_mappings.registry import mapping_for_entity, mapping_for_source
from crm_projections.backends import broadcaster, read_model
from crm_projections.services.checks import BroadcastsWorker, DocumentsWorker
from crm_projections.services.projector import Projector, ProjectorPorts
from crm_projections.services.rebuild import RebuildWorker
from crm_projections.services.replay import ReplayWorker


def projector_ports() -> ProjectorPorts:
    """Return the ports the read side works with."""
    return ProjectorPorts(event_store(), read_model(), broadcaster(), dead_letters(), mapping_for_source)


@cache
def projector() -> Projector:
    """Return the process's projector."""
    return Projector(projector_ports(), settings.CRM_SAVED_STATE_EVERY)


@cache
def runner() -> Runner:
    """Return the process's worker of runs."""
    ports = projector_ports()
    workers: dict[str, RunWorker] = {
        "replay": ReplayWorker(ports),
        "rebuild": RebuildWorker(ports, mapping_for_entity),
        run_kind(Check.DOCUMENTS): DocumentsWorker(ports, drift_report()),
        run_kind(Check.BROADCASTS): BroadcastsWorker(ports, projector(), drift_report()),
    }
    return Runner(runs(), workers)
