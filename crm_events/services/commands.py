"""The command service over the inbox, the log and the runs."""

from collections.abc import Collection
from datetime import datetime

from crm_events.ports.commands import (
    Accepted,
    AcceptEvents,
    CrmCommandService,
    Processed,
    ProcessEvents,
    StartBackfill,
    StartReplay,
    StartRun,
    Steering,
    SteerRun,
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
        start = StartRun("replay", command.target, parameters, command.started_by, command.reason)
        return self.start_run(start, now)

    def start_backfill(self, command: StartBackfill, now: datetime) -> int:
        """Queue a backfill and wake the bulk lane; see the port."""
        start = StartRun("backfill", command.entity_name, command.parameters, command.started_by, command.reason)
        return self.start_run(start, now)

    def start_run(self, command: StartRun, now: datetime) -> int:
        """Queue a run, write down who wants it, and wake the bulk lane; see the port."""
        request = RunRequest(command.kind, command.target, command.parameters, command.started_by, command.reason)
        run = self._runs.create(request, now)
        operator = Operator(command.started_by, command.reason)
        facts = {"run": run.id, **command.parameters}
        record_action(operator, f"start {command.kind}", command.target or "everything", now, facts)
        wake_runs()
        return run.id

    def steer_run(self, command: SteerRun, now: datetime) -> bool:
        """Ask something of a run, and write down who did; see the port."""
        run = self._runs.get(command.run_id)
        match command.steering:
            case Steering.PAUSE:
                done = self._runs.request_pause(run.id)
            case Steering.RESUME:
                done = self._runs.resume(run.id)
            case Steering.CANCEL:
                done = self._runs.request_cancel(run.id, now)
        if done:
            target = f"{run.kind} {run.target or 'everything'}"
            operator = Operator(command.asked_by, command.reason)
            record_action(operator, f"{command.steering} run", target, now, {"run": run.id})
            wake_runs()
        return done
