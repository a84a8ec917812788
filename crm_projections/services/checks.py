"""The checks of the read side: documents against the log, and messages that were not sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crm_events.domain.drift import Cause, Check, Difference, Remedy
from crm_events.domain.heads import Head
from crm_events.ports.drift_report import DriftReport
from crm_events.running.runner import RunSession
from crm_mappings.mapping import EntityMapping
from crm_projections.ports.read_model import StoredDocument
from crm_projections.services.projector import Projector, ProjectorPorts
from crm_projections.services.saving import save_everywhere
from crm_projections.services.walking import Normalized, StreamWalker, normalize

# The sweeps come every few seconds; what they have not done by then, something keeps them from doing.
_IN_TIME = timedelta(minutes=10)
_AT_A_TIME = 1_000
_SETTLES_BY_ITSELF = (Cause.IN_FLIGHT, Cause.PARKED)


@dataclass(frozen=True, slots=True)
class _Finding:
    difference: Difference
    normalized: Normalized


class DocumentsWorker:
    """Fold every stream of a Salesforce object (the target) from raw events, and compare with the stored documents.

    The cursor is the store's. What differs is saved anew unless the run's parameter ``repair`` is false.
    """

    check = Check.DOCUMENTS

    def __init__(self, ports: ProjectorPorts, report: DriftReport) -> None:
        self._ports = ports
        self._report = report
        self._walker = StreamWalker(ports.store)

    def work(self, session: RunSession) -> None:
        """Compare from where the cursor stands; an object without a mapping has no documents to compare."""
        mapping = self._ports.mapping_of(session.run.target)
        if mapping is None:
            return
        for heads, cursor in self._walker.pages(session.run.target, session.cursor):
            for batch in self._walker.fold(heads):
                made, _ = normalize(mapping, batch.folded, session.now)
                self._compare(mapping, made, session)
                session.heartbeat()
            session.count("checked", len(heads))
            session.cursor = cursor
            session.save()

    def _compare(self, mapping: EntityMapping, made: Sequence[Normalized], session: RunSession) -> None:
        stored = self._ports.read_model.get_many(mapping.entity, [one.document.id for one in made])
        repairs = bool(session.run.parameters.get("repair", True))
        found = [
            _Finding(difference, one)
            for one in made
            if (difference := _difference(one, stored.get(one.document.id), repairs=repairs)) is not None
        ]
        wrong = [one.normalized.document for one in found if one.difference.remedy is Remedy.PROJECTED]
        if wrong:
            save_everywhere(self._ports.read_model, mapping, wrong, session.now)
        self._report.add(session.run.id, [one.difference for one in found], session.now)
        session.count("differences", len(found))
        for one in found:
            session.count(f"cause: {one.difference.cause}")


def _difference(one: Normalized, stored: StoredDocument | None, *, repairs: bool) -> Difference | None:
    fields = _differing_fields(one, stored)
    if not fields:
        return None
    cause, detail = _cause(one, stored)
    remedy = Remedy.LEFT if cause in _SETTLES_BY_ITSELF else Remedy.PROJECTED if repairs else Remedy.NONE
    return Difference(Check.DOCUMENTS, cause, str(one.folded.head.stream), fields, detail, remedy)


def _differing_fields(one: Normalized, stored: StoredDocument | None) -> tuple[str, ...]:
    wanted: Mapping[str, Any] = one.document.values
    if stored is None:
        return tuple(wanted)
    has = stored.decode()
    differing = [name for name, value in wanted.items() if name not in has or has[name] != value]
    if has["_meta"]["complete"] != one.document.complete:
        differing.append("complete")
    return tuple(differing)


def _cause(one: Normalized, stored: StoredDocument | None) -> tuple[Cause, str]:
    head = one.folded.head
    if head.blocked:
        return Cause.PARKED, "It could not be projected and keeps its old document. Next: see its dead letter."
    if head.is_pending or (stored is not None and stored.version > head.version):
        return Cause.IN_FLIGHT, "The read side has not caught up with the log yet."
    if stored is None:
        return Cause.STUCK, "There is no document of it, though the log says that one was made."
    if stored.decode()["_meta"]["mapping"] != one.document.mapping:
        return Cause.MAPPING, "The document was made by an older mapping."
    return Cause.STUCK, "The document is not what the log says, though it was made by today's mapping."


class BroadcastsWorker:
    """Report records whose document is up to date and of whose change nobody was told, and tell it."""

    check = Check.BROADCASTS

    def __init__(self, ports: ProjectorPorts, projector: Projector, report: DriftReport) -> None:
        self._ports = ports
        self._projector = projector
        self._report = report

    def work(self, session: RunSession) -> None:
        """Look once; a number that reaches the bound is a lower bound."""
        waiting = self._ports.store.pending_streams(_AT_A_TIME, session.now - _IN_TIME)
        unsent = [head for head in waiting if head.published_version < head.projected_version == head.version]
        repairs = bool(session.run.parameters.get("repair", True))
        self._report.add(session.run.id, [_unsent(head, repairs=repairs) for head in unsent], session.now)
        session.count("differences", len(unsent))
        session.count(f"cause: {Cause.STUCK}", len(unsent))
        if repairs and unsent:
            self._projector.project([head.stream for head in unsent], session.now)


def _unsent(head: Head, *, repairs: bool) -> Difference:
    words = f"Version {head.version} is readable; downstream heard of version {head.published_version} last."
    remedy = Remedy.PROJECTED if repairs else Remedy.NONE
    return Difference(Check.BROADCASTS, Cause.STUCK, str(head.stream), (), words, remedy)
