"""The command service over the inbox, the log and the runs."""

from collections.abc import Collection
from datetime import datetime

from crm_events.ports.commands import (
    Accepted,
    AcceptEvents,
    CrmCommandService,
    Processed,
    ProcessEvents,
    StartReplay,
)
from crm_events.ports.dead_letters import DeadLetters
from crm_events.ports.event_store import EventStore, HistoryPage, HistoryQuery
from crm_events.ports.runs import RunRequest, Runs
from crm_events.services import inbox
from crm_events.services.actions import Operator, record_action
from crm_events.services.processing import DeliveryProcessor
from crm_events.services.wakeups import wake_runs


class SalesforceCommandService(CrmCommandService):
    """Commands for records whose changes come from Salesforce."""

    def __init__(
        self,
        store: EventStore,
        dead_letters: DeadLetters,
        runs: Runs,
        *,
        allowed_orgs: Collection[str] = (),
        max_attempts: int = 5,
    ) -> None:
        self._store = store
        self._runs = runs
        self._processor = DeliveryProcessor(store, dead_letters, allowed_orgs, max_attempts)

    def accept_events(self, command: AcceptEvents, now: datetime) -> Accepted:
        """Store a delivery; see the port."""
        return inbox.accept(command.body, command.key_name, now)

    def process_events(self, command: ProcessEvents, now: datetime) -> Processed:
        """Claim deliveries and bring them into the log; see the port."""
        deliveries = inbox.claim(command.limit, now, failed_first=command.failed_first)
        streams = self._processor.process(deliveries, now) if deliveries else []
        return Processed(len(deliveries), streams)

    def record_events(self, query: HistoryQuery) -> HistoryPage:
        """Return a page of one record's raw events; see the port."""
        return self._store.history(query)

    def start_replay(self, command: StartReplay, now: datetime) -> int:
        """Queue a replay and wake the bulk lane; see the port."""
        parameters = {"broadcast": command.broadcast, "dry_run": command.dry_run}
        request = RunRequest("replay", command.target, parameters, command.started_by, command.reason)
        run = self._runs.create(request, now)
        operator = Operator(command.started_by, command.reason)
        record_action(operator, "start replay", command.target or "everything", now, {"run": run.id, **parameters})
        wake_runs()
        return run.id
