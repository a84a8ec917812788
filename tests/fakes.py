"""Ports in memory, for tests that need no database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crm_events.domain.identifiers import StreamKey
from crm_events.ports.api_budget import Allowance, ApiBudget, Purpose
from crm_events.ports.crm_source import ApiUsage
from crm_events.ports.dead_letters import DeadLetters, EventFailure, StreamFailure


@dataclass
class MemoryDeadLetters(DeadLetters):
    events: list[EventFailure] = field(default_factory=list)
    streams: dict[StreamKey, StreamFailure] = field(default_factory=dict)

    def report_events(self, failures: Sequence[EventFailure], now: datetime) -> None:
        self.events += failures

    def report_streams(self, failures: Sequence[StreamFailure], now: datetime) -> None:
        self.streams.update({failure.stream: failure for failure in failures})

    def resolve_streams(self, streams: Sequence[StreamKey], now: datetime) -> int:
        return sum(self.streams.pop(stream, None) is not None for stream in streams)


@dataclass
class NotedBudget(ApiBudget):
    """Allows everything, and remembers what it is told."""

    noted: list[ApiUsage] = field(default_factory=list)

    def allow(self, purpose: Purpose, now: datetime) -> Allowance:
        return Allowance()

    def note(self, usage: ApiUsage, now: datetime) -> None:
        self.noted.append(usage)

    def usage(self) -> None:
        return None
