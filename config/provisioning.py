"""Tables, indexes, streams and buses of every engine: verified, or made where they are missing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.failures import ENGINE_FAILURES, describe
from crm_events.backends import event_store
from crm_events.ports.provisioning import Condition, Finding, Provisioned
from crm_projections.backends import broadcaster, read_model

DATABASE = "operational database"
MIGRATIONS = "migrations"
# Functions, not adapters: building one may fail, and then the others have their turn all the same.
ADAPTERS: Mapping[str, Callable[[], object]] = {
    "event store": event_store,
    "read model": read_model,
    "broadcaster": broadcaster,
}


@dataclass(frozen=True, slots=True)
class PartReport:
    """How one part of the service stands in its engine.

    ``findings`` is empty for an adapter whose tables ``migrate`` makes; ``error`` says why nothing is known.
    """

    part: str
    adapter: str = ""
    findings: Sequence[Finding] = ()
    error: str = ""

    @property
    def is_faulty(self) -> bool:
        """Say whether the service cannot work properly with the part as it is, or nothing is known of it."""
        return bool(self.error) or any(finding.is_fault for finding in self.findings)


def unapplied_migrations() -> dict[str, list[str]]:
    """Return the names of the migrations that the operational database lacks, by app.

    :raises django.db.Error: the database does not answer.
    """
    executor = MigrationExecutor(connection)
    waiting: dict[str, list[str]] = {}
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        waiting.setdefault(migration.app_label, []).append(migration.name)
    return waiting


def examine_migrations() -> PartReport:
    """Say which migrations wait; they are applied by ``migrate`` alone, which may take long and wants to be planned."""
    try:
        waiting = unapplied_migrations()
    except ENGINE_FAILURES as failure:
        return PartReport(DATABASE, connection.vendor, error=describe(failure))
    found = [_waiting(app, names) for app, names in sorted(waiting.items())]
    return PartReport(DATABASE, connection.vendor, found or [Finding(MIGRATIONS, Condition.READY, "all are applied")])


def _waiting(app: str, names: Sequence[str]) -> Finding:
    said = names[0] if len(names) == 1 else f"{len(names)}, {names[0]} to {names[-1]}"
    return Finding(f"{MIGRATIONS} of {app}", Condition.MISSING, f"not applied: {said}. Next: manage.py migrate")


def examine_adapter(part: str, build: Callable[[], object], *, change: bool) -> PartReport:
    """Verify one adapter's things in its engine, or provision them; a failure becomes part of the report."""
    name = ""
    try:
        adapter = build()
        name = type(adapter).__name__
        if not isinstance(adapter, Provisioned):
            return PartReport(part, name)
        return PartReport(part, name, tuple(adapter.provision() if change else adapter.verify()))
    except ENGINE_FAILURES as failure:
        return PartReport(part, name, error=describe(failure))


def examine(*, change: bool) -> list[PartReport]:
    """Go through the database and every adapter, one after the other; one that fails holds up no other."""
    adapters = [examine_adapter(part, build, change=change) for part, build in ADAPTERS.items()]
    return [examine_migrations(), *adapters]
