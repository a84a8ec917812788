"""Work that reads Salesforce, on a Salesforce in memory, a log in memory, and runs in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_events.adapters.memory import MemoryEventStore
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.domain.events import EventType, NewEvent, StoredEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.folding import StreamReader, fold_stream
from crm_events.ports.api_budget import Allowance, ApiBudget, Purpose
from crm_events.ports.crm_source import ApiUsage
from crm_events.ports.event_store import ReadRequest
from crm_events.ports.runs import RunRequest, RunView
from crm_events.record import RecordState
from crm_events.running.runner import Runner, RunWorker
from crm_events.services.appending import append_events
from crm_events.services.rows import RowWriter
from crm_events.services.runs import OperationalRuns
from crm_events.services.source_calls import SourceAccess
from tests.builders import a_stream, an_id
from tests.integration.crm_events.delivering import NOW


class FakeBudget(ApiBudget):
    """Allows what the test says, and remembers who asked."""

    def __init__(self) -> None:
        self.allowance = Allowance()
        self.asked: list[Purpose] = []

    def allow(self, purpose: Purpose, now: datetime) -> Allowance:
        self.asked.append(purpose)
        return self.allowance

    def note(self, usage: ApiUsage, now: datetime) -> None:
        raise AssertionError("the source tells the budget, not who calls it")

    def usage(self) -> tuple[ApiUsage, datetime] | None:
        return None


@dataclass
class Desk:
    """Everything that work which reads Salesforce has to do with."""

    source: MemoryCrmSource = field(default_factory=lambda: MemoryCrmSource(NOW))
    store: MemoryEventStore = field(default_factory=MemoryEventStore)
    budget: FakeBudget = field(default_factory=FakeBudget)
    runs: OperationalRuns = field(default_factory=OperationalRuns)
    now: datetime = NOW
    woken: list[StreamKey] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    @property
    def access(self) -> SourceAccess:
        return SourceAccess(self.source, self.budget, self.pauses.append)

    @property
    def writer(self) -> RowWriter:
        return RowWriter(self.store)

    def wake(self, streams: Sequence[StreamKey]) -> None:
        self.woken += streams

    def happen(self, *events: NewEvent) -> None:
        append_events(self.store, events, self.now)

    def put(self, number: int, entity: str = "Account", **fields: Any) -> None:
        """Let Salesforce have the records 1 to ``number`` of an object."""
        self.source.put(
            entity, *[{"Id": an_id(n, entity), "Name": f"Client {n}", **fields} for n in range(1, number + 1)]
        )

    def start(self, kind: str, target: str, parameters: Mapping[str, Any]) -> RunView:
        return self.runs.create(RunRequest(kind, target, dict(parameters), "ada"), self.now)

    def runner(self, kind: str, worker: RunWorker) -> Runner:
        return Runner(self.runs, {kind: worker}, lambda: self.now)

    def events(self, stream: StreamKey | None = None) -> Sequence[StoredEvent]:
        stream = stream or a_stream()
        return self.store.read([ReadRequest(stream)])[stream]

    def types(self, stream: StreamKey | None = None) -> list[EventType]:
        return [stored.event.event_type for stored in self.events(stream)]

    def state(self, stream: StreamKey | None = None) -> RecordState:
        stream = stream or a_stream()
        head = self.store.heads([stream])[stream]
        base, events = StreamReader(self.store, use_saved_states=False).read([head])[stream]
        return fold_stream(head, base, events).current
