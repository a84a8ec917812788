"""Differences in the console: what checks found, why it is so, and what was done about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from config.console.runs.words import CHECKS
from config.console.walks import steps
from crm_events import selectors
from crm_events.admin.base import ReadOnlyAdmin, choice_filter
from crm_events.admin.states import State, cause_state
from crm_events.backends import drift_report
from crm_events.domain.drift import HARMLESS, Cause, Check, Remedy
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.drift_report import DifferenceQuery, ReportedDifference

_PAGE_SIZE = 50
_DELIVERY = "delivery "
_REMEDIES = {
    Remedy.NONE: "Only reported",
    Remedy.READ_AGAIN: "Read again from Salesforce, into the log",
    Remedy.DELETED: "Its deletion went into the log",
    Remedy.PROJECTED: "Handed to the read side again",
}
_LEFT = {
    Cause.LATE: "Nothing; it has settled by itself",
    Cause.IN_FLIGHT: "Nothing; it settles by itself",
    Cause.PARKED: "Nothing; its dead letter waits for a decision",
    Cause.NOT_VISIBLE: "Nothing; somebody has to look at the API user’s rights",
}
CAUSE_MEANINGS = {
    Cause.MISSED_EVENT: "Salesforce changed the record, and no event of it came.",
    Cause.LATE: "The event came while it was compared.",
    Cause.IN_FLIGHT: "Changed so recently that its event may still come.",
    Cause.HARD_DELETE: "Deleted for good, and nothing told of it.",
    Cause.NOT_VISIBLE: "Salesforce does not show us the record any more.",
    Cause.FORMULA: "Calculated by Salesforce; changes without an event.",
    Cause.PARKED: "It could not be projected and keeps its old document.",
    Cause.MAPPING: "The document was made by an older mapping.",
    Cause.STUCK: "Work that was accepted and not finished in time.",
}


class CountRow(NamedTuple):
    """How many differences there are of one check and cause."""

    check: Check
    check_words: str
    cause: Cause
    state: State
    meaning: str
    number: int


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One difference in a list; ``link`` leads to its record or delivery, if it has a page."""

    found: ReportedDifference
    label: str
    link: str
    entity: str
    check_words: str
    state: State
    remedy: str


class DriftAdmin(ReadOnlyAdmin):
    """The report of differences, read through its port."""

    title = "Differences"

    def get_urls(self) -> list[URLPattern]:
        """Return the one address."""
        return [path("", self.admin_site.admin_view(self.list_view), name="crm_events_drift_changelist")]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Show counts by check and cause, and a page of differences of the same runs and filters."""
        self.check_view(request)
        query = request.GET.dict()
        last = selectors.last_checks()
        scope = _scope(query, last)
        found = _find(scope, query) if scope != [] else []
        rows = [_row(one) for one in found[:_PAGE_SIZE]]
        onward = str(found[_PAGE_SIZE - 1].number) if len(found) > _PAGE_SIZE else None
        context = {
            "title": self.title,
            "rows": rows,
            "counts": _counts(scope, query) if scope else [],
            "query": request.GET,
            "filters": _filters(query),
            "steps": steps(query, query.get("cursor"), onward),
            "run": _number(query.get("run", "")),
            "everything": scope is None,
            "checked": bool(last),
        }
        return self.render(request, "console/differences.html", context)


def drift_of_last_checks(last: Sequence[selectors.LastCheck]) -> int:
    """Return how many differences the last run of each check found, without those that settle by themselves."""
    counts = drift_report().counts([one.run_id for one in last]) if last else {}
    return sum(count for (_, cause), count in counts.items() if cause not in HARMLESS)


def _scope(query: Mapping[str, str], last: Sequence[selectors.LastCheck]) -> list[int] | None:
    """Return the runs whose differences are shown; ``None`` for all that are kept."""
    if run := _number(query.get("run", "")):
        return [run]
    return None if query.get("scope") == "all" else [one.run_id for one in last]


def _find(scope: Sequence[int] | None, query: Mapping[str, str]) -> list[ReportedDifference]:
    return drift_report().find(
        DifferenceQuery(
            run_ids=scope or (),
            checks=[Check(query["check"])] if query.get("check") in list(Check) else [],
            causes=[Cause(query["cause"])] if query.get("cause") in list(Cause) else [],
            limit=_PAGE_SIZE + 1,
            before=_number(query.get("cursor", "")),
        )
    )


def _counts(scope: Sequence[int] | None, query: Mapping[str, str]) -> list[CountRow]:
    counts = drift_report().counts(scope or ())
    check, cause = query.get("check", ""), query.get("cause", "")
    shown = [
        CountRow(each, CHECKS[each].capitalize(), why, cause_state(why), CAUSE_MEANINGS[why], count)
        for (each, why), count in counts.items()
        if (check not in list(Check) or each == check) and (cause not in list(Cause) or why == cause)
    ]
    return sorted(shown, key=lambda row: (row.cause in HARMLESS, -row.number))


def _row(one: ReportedDifference) -> DifferenceRow:
    difference = one.difference
    label, link, entity = _subject(difference.subject)
    remedy = _REMEDIES.get(difference.remedy) or _LEFT.get(difference.cause, "Nothing; somebody has to decide")
    return DifferenceRow(
        one, label, link, entity, CHECKS[difference.check].capitalize(), cause_state(difference.cause), remedy
    )


def _subject(subject: str) -> tuple[str, str, str]:
    if subject.startswith(_DELIVERY):
        number = subject.removeprefix(_DELIVERY)
        return number, reverse("admin:crm_events_delivery_change", args=[number]), "Delivery"
    try:
        stream = StreamKey.parse(subject)
    except InvalidIdError:
        return subject, "", ""
    return stream.entity_id, reverse("admin:crm_events_record_page", args=stream), stream.entity_name


def _filters(query: Mapping[str, str]) -> list[Mapping[str, Any]]:
    scopes = [("", "The last run of each check"), ("all", "All that are kept")]
    if run := _number(query.get("run", "")):
        chosen = {
            "name": "run",
            "label": "Runs",
            "chosen": str(run),
            "choices": [(str(run), f"Run {run}"), ("", "Every run")],
        }
    else:
        chosen = choice_filter("scope", "Runs", scopes, query.get("scope"))
    checks = [("", "Any check"), *((check.value, words.capitalize()) for check, words in CHECKS.items())]
    causes = [("", "Any cause"), *((cause.value, cause_state(cause).word) for cause in Cause)]
    return [
        chosen,
        choice_filter("check", "Check", checks, query.get("check")),
        choice_filter("cause", "Cause", causes, query.get("cause")),
    ]


def _number(text: str) -> int | None:
    is_one = text.isascii() and text.isdigit() and len(text) <= 18  # noqa: PLR2004  # digits of a row's number
    return int(text) if is_one else None
