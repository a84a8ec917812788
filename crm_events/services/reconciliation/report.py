"""The report of differences in the operational database."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Count

from crm_events.domain.drift import Cause, Check, Difference, Remedy
from crm_events.models import Drift
from crm_events.ports.drift_report import DifferenceQuery, DriftReport, ReportedDifference

_SUBJECT_LENGTH = 150


class OperationalDriftReport(DriftReport):
    """Keep each difference as a row."""

    def add(self, run_id: int, differences: Sequence[Difference], now: datetime) -> None:
        rows = [
            Drift(
                run_id=run_id,
                check_name=one.check.value,
                cause=one.cause.value,
                subject=one.subject[:_SUBJECT_LENGTH],
                fields=list(one.fields),
                detail=one.detail,
                remedy=one.remedy.value,
                found_at=now,
            )
            for one in differences
        ]
        Drift.objects.bulk_create(rows, ignore_conflicts=True)

    def find(self, query: DifferenceQuery) -> list[ReportedDifference]:
        rows = Drift.objects.order_by("-id")
        if query.run_ids:
            rows = rows.filter(run_id__in=query.run_ids)
        if query.checks:
            rows = rows.filter(check_name__in=[check.value for check in query.checks])
        if query.causes:
            rows = rows.filter(cause__in=[cause.value for cause in query.causes])
        if query.before is not None:
            rows = rows.filter(pk__lt=query.before)
        return [_reported(row) for row in rows[: query.limit]]

    def counts(self, run_ids: Sequence[int]) -> Mapping[tuple[Check, Cause], int]:
        rows = Drift.objects.filter(run_id__in=run_ids).values_list("check_name", "cause").annotate(n=Count("id"))
        return {(Check(check), Cause(cause)): number for check, cause, number in rows.order_by("check_name", "cause")}

    def remove_before(self, moment: datetime) -> int:
        return Drift.objects.filter(found_at__lt=moment).delete()[0]


def _reported(row: Drift) -> ReportedDifference:
    difference = Difference(
        Check(row.check_name), Cause(row.cause), row.subject, tuple(row.fields), row.detail, Remedy(row.remedy)
    )
    return ReportedDifference(row.pk, row.run_id, row.found_at, difference)
