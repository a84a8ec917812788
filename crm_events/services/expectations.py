"""What a backfill is expected to take, said before it starts: rows, calls, and the time that the last ones took."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_events.ports.crm_source import CrmSource, RowQuery
from crm_events.ports.runs import RunQuery, Runs, RunStatus, RunView
from crm_events.services.backfill import KIND, BackfillOptions, Mode, estimate

_RUNS_LOOKED_AT = 20
# What is shorter says more about the start of a run than about its rate.
_SHORTEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """Rows to read, calls of Salesforce's API, the way, and seconds; ``None`` where no backfill was measured yet."""

    rows: int
    calls: int
    mode: Mode
    seconds: float | None


def expect(source: CrmSource, runs: Runs, entity_name: str, options: BackfillOptions) -> Expectation:
    """Ask Salesforce how many rows there are, and work out what reading them takes.

    :raises CrmSourceError: Salesforce does not answer, or refuses the condition.
    """
    query = RowQuery(entity_name, ("Id",), options.condition, options.include_deleted)
    rows = len(options.ids) or source.count(query)
    found = estimate(options, rows)
    rate = measured_rate(
        runs.find(RunQuery(kinds=[KIND], statuses=[RunStatus.DONE], limit=_RUNS_LOOKED_AT)), entity_name
    )
    return Expectation(rows, found.calls, found.mode, rows / rate if rate else None)


def measured_rate(runs: Sequence[RunView], entity_name: str) -> float | None:
    """Return the rows a second of finished runs: of this object if there are any, else of all."""
    measured = [run for run in runs if run.counts.get("rows") and run.worked_seconds >= _SHORTEST_SECONDS]
    own = [run for run in measured if run.target == entity_name] or measured
    if not own:
        return None
    return sum(run.counts["rows"] for run in own) / sum(run.worked_seconds for run in own)
