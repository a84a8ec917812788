"""The read side on real rows: log, documents, outbox, dead letters and runs in the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crm_events.domain.events import NewEvent
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import EventStore
from crm_events.ports.runs import RunRequest, RunView
from crm_events.running.runner import Runner
from crm_events.services.appending import append_events
from crm_events.services.dead_letters import OperationalDeadLetters
from crm_events.services.runs import OperationalRuns
from crm_mappings.mapping import EntityMapping
from crm_mappings.registry import mapping_for_entity, mapping_for_source
from crm_projections.ports.broadcaster import Broadcaster
from crm_projections.ports.read_model import Document, Generation, ReadModel
from crm_projections.services.projector import Projector, ProjectorPorts
from crm_projections.services.rebuild import RebuildWorker
from crm_projections.services.replay import ReplayWorker
from tests.builders import TIMESTAMP, a_new_event, a_stream
from tests.engines.defaults import DefaultBroadcaster, DefaultEventStore, DefaultReadModel, sent_messages

NOW = datetime(2026, 10, 6, 7, 20, 9, 123000, tzinfo=UTC)


class ProcessKilledError(BaseException):
    """Ends a worker as SIGKILL does: nothing of ours may catch it."""


def at(second: int, change_type: str = "UPDATE", stream: StreamKey | None = None, **fields: Any) -> NewEvent:
    """Return a change at a second of its own; an UPDATE without fields names the client anew."""
    body = fields or ({"Name": f"Client {second}"} if change_type in ("CREATE", "UPDATE") else None)
    return a_new_event(change_type, body, stream=stream or a_stream(), timestamp=TIMESTAMP + second * 1000)


@dataclass
class Rows:
    """Everything the read side works with; a test puts a part of its own in place of one."""

    store: EventStore = field(default_factory=DefaultEventStore)
    read_model: ReadModel = field(default_factory=DefaultReadModel)
    broadcaster: Broadcaster = field(default_factory=DefaultBroadcaster)
    now: datetime = NOW
    runs: OperationalRuns = field(default_factory=OperationalRuns)

    @property
    def ports(self) -> ProjectorPorts:
        return ProjectorPorts(
            self.store, self.read_model, self.broadcaster, OperationalDeadLetters(), mapping_for_source
        )

    @property
    def runner(self) -> Runner:
        rebuild = RebuildWorker(self.ports, mapping_for_entity)
        return Runner(self.runs, {"replay": ReplayWorker(self.ports), "rebuild": rebuild}, lambda: self.now)

    def record(self, *events: NewEvent) -> None:
        append_events(self.store, events, self.now)

    def happen(self, *events: NewEvent) -> None:
        """Record events and project their streams."""
        self.record(*events)
        self.project(*{event.stream for event in events})

    def project(self, *streams: StreamKey) -> None:
        Projector(self.ports, saved_state_every=1_000).project(streams, self.now)

    def create_clients(self, number: int) -> list[StreamKey]:
        """Create so many clients, project them, and return their streams."""
        streams = [a_stream(n) for n in range(1, number + 1)]
        self.happen(*[at(1, "CREATE", stream, Name=f"Client {n}") for n, stream in enumerate(streams, 1)])
        return streams

    def queue(self, kind: str, target: str, **parameters: Any) -> RunView:
        """Queue a run."""
        return self.runs.create(RunRequest(kind, target, parameters, "ada"), self.now)

    def start(self, kind: str, target: str, **parameters: Any) -> RunView:
        """Queue a run and claim it."""
        claimed = self.runs.claim(self.queue(kind, target, **parameters).id, self.now)
        assert claimed is not None
        return claimed

    def run(self, kind: str, target: str, on_page: Callable[[int], object] | None = None, **parameters: Any) -> RunView:
        """Work a new run to its end; ``on_page`` is called whenever it wrote down how far it came, with a number."""
        return self.work(self.start(kind, target, **parameters), on_page)

    def work(self, run: RunView, on_page: Callable[[int], object] | None = None) -> RunView:
        seen: list[Any] = [run.cursor]

        def progressed(view: RunView) -> None:
            if on_page and view.cursor not in seen:
                seen.append(view.cursor)
                on_page(len(seen) - 1)

        return self.runner.work(run, progressed)

    def head(self, stream: StreamKey | None = None) -> Head:
        stream = stream or a_stream()
        return self.store.heads([stream])[stream]

    def serving(self, entity: str = "client") -> Generation:
        (found,) = [generation for generation in self.read_model.generations(entity) if generation.serves]
        return found

    def documents(self, entity: str = "client", number: int | None = None) -> dict[str, dict[str, Any]]:
        """Return a generation's documents by id, without the times at which they were made."""
        found = {}
        for page in self.read_model.scan(entity, number or self.serving(entity).number):
            for stored in page:
                found[stored.id] = stored.decode()
                found[stored.id]["_meta"].pop("projected_at")
        return found

    def names(self, entity: str = "client", number: int | None = None) -> list[str]:
        """Return the names in a generation's documents, in the order of their ids."""
        return [document["name"] for document in self.documents(entity, number).values()]

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages that were sent, oldest first."""
        return sent_messages()

    def spoil(self, stream: StreamKey, name: str = "wrong", entity: str = "client", mapping: str | None = None) -> None:
        """Put a wrong document of the same version in place of the right one."""
        stored = self.read_model.get_many(entity, [stream.entity_id])[stream.entity_id]
        values = stored.decode()
        meta = values.pop("_meta")
        document = Document(
            stored.id,
            stored.version,
            meta["order_key"],
            meta["complete"],
            mapping or meta["mapping"],
            self.now,
            {**values, "name": name},
        )
        self.read_model.save_many(self.serving(entity), [document])


def the_mapping(entity: str = "client") -> EntityMapping:
    found = mapping_for_entity(entity)
    assert found is not None
    return found


@contextmanager
def killed() -> Iterator[None]:
    """Expect the process to be killed inside."""
    try:
        yield
    except ProcessKilledError:
        return
    raise AssertionError("nothing was killed")


def kill(*_: object) -> None:
    raise ProcessKilledError


def press_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt
