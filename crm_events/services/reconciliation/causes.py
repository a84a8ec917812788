"""Why a row of Salesforce and the log differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm_events.cdc.times import epoch_ms
from crm_events.domain.drift import Cause, Check, Difference, Remedy
from crm_events.domain.identifiers import StreamKey
from crm_events.record import NEVER_CARRIED
from crm_events.record.comparing import ColumnDifference

_DELETION = "IsDeleted"
_STAMP = "SystemModstamp"
# Longer lists of columns say no more than their beginning.
_COLUMNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one record that differs.

    ``columns`` are the differing ones, none if the log does not know the record; ``newest_commit_ms`` is the commit
    time of the newest change in the log, in epoch milliseconds.
    """

    stream: StreamKey
    row: Mapping[str, Any]
    columns: Sequence[ColumnDifference]
    is_known: bool
    newest_commit_ms: int | None


@dataclass(frozen=True, slots=True)
class Judge:
    """Find the cause of a difference.

    ``calculated`` names the object's formula and roll-up columns. ``grace`` is how long an event may take to come.
    """

    check: Check
    calculated: Collection[str]
    grace: timedelta

    def judge(self, evidence: Evidence, read_start: datetime) -> Difference:
        """Return the difference with its cause, and with the remedy that it calls for."""
        names = [column.column for column in evidence.columns if column.column != _STAMP]
        cause, detail = self._cause(evidence, names, read_start)
        remedy = Remedy.LEFT if cause in (Cause.IN_FLIGHT, Cause.LATE) else Remedy.READ_AGAIN
        return Difference(self.check, cause, str(evidence.stream), tuple(names[:_COLUMNS_SHOWN]), detail, remedy)

    def _cause(self, evidence: Evidence, names: Sequence[str], read_start: datetime) -> tuple[Cause, str]:
        modified = epoch_ms(evidence.row.get(_STAMP))
        newest = evidence.newest_commit_ms
        # Commit times are whole seconds: a change of the second of the read may have come behind it.
        if newest is not None and newest // 1000 >= int(read_start.timestamp()):
            return Cause.LATE, "The log has a change that was made after the row was read."
        if modified is not None and modified > (read_start - self.grace).timestamp() * 1000:
            return Cause.IN_FLIGHT, "It was changed so recently that its event may still come."
        if not evidence.is_known:
            return Cause.MISSED_EVENT, "The log did not know the record."
        if _DELETION in names:
            deleted = evidence.row.get(_DELETION) in (True, "true")
            words = "deleted" if deleted else "restored"
            return Cause.MISSED_EVENT, f"Salesforce says that the record was {words}."
        if names and all(name in self.calculated or name in NEVER_CARRIED for name in names):
            return Cause.FORMULA, "Salesforce works these values out; no event tells of them."
        return Cause.MISSED_EVENT, _in_words(evidence.columns)


def _in_words(columns: Sequence[ColumnDifference]) -> str:
    if [column.column for column in columns] == [_STAMP]:
        return "Only the time of the last change differs."
    return "Salesforce has other values than the log."
