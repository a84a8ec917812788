"""What runs are and do, in words for operators."""

from collections.abc import Sequence
from typing import Any

from crm_events.domain.drift import Check, run_kind
from crm_events.ports.runs import RunStatus, RunView

CHECKS = {
    Check.UNFINISHED: "unfinished work",
    Check.WINDOWS: "changes",
    Check.IDS: "all ids",
    Check.SAMPLE: "a sample",
    Check.DOCUMENTS: "documents",
    Check.BROADCASTS: "broadcasts",
}
CHECK_MEANINGS = {
    Check.UNFINISHED: "Deliveries that nobody finished, and records that readers wait for.",
    Check.WINDOWS: "What Salesforce says was changed and deleted since the last time, against the log.",
    Check.IDS: "Every id on both sides. The only way to see records that were deleted for good.",
    Check.SAMPLE: "500 records field by field against the log, other ones each time.",
    Check.DOCUMENTS: "Every document against what the log says of its record.",
    Check.BROADCASTS: "Changes that are readable and of which nobody was told.",
}
_KINDS = {
    "backfill": "Backfill",
    "replay": "Replay",
    "rebuild": "Rebuild",
    "resync": "Resync",
    "repair": "Gap repair",
    **{run_kind(check): f"Check of {words}" for check, words in CHECKS.items()},
}
_MEANINGS = {
    "backfill": "Rows are read from Salesforce and come into the log, beside live changes.",
    "replay": "Documents are made again from the log with today’s mapping.",
    "rebuild": "New documents are filled from the log beside the old ones, compared, then served in their place.",
    "resync": "A whole object is read again, because Salesforce could not tell what changed.",
    "repair": "Records with a value that only Salesforce knows are read again.",
    **{run_kind(check): words for check, words in CHECK_MEANINGS.items()},
}
# Kinds without a target that mean everything; of the others an empty target means no object in particular.
_OF_EVERYTHING = frozenset({"replay"})
_COUNTS = {
    "rows": "Rows read",
    "recorded": "Records brought up to date",
    "unchanged": "Said nothing new",
    "missing": "Ids that Salesforce does not have, or does not show",
    "unreadable": "Rows without a usable id",
    "calls": "Calls of Salesforce",
    "streams": "Records",
    "events": "Events read",
    "documents": "Documents made",
    "kept_old": "Refused; they keep their old document",
    "refused": "Refused by the read model; they keep their old document",
    "failed": "Failed; each has a dead letter",
    "sent": "Messages sent",
    "checked": "Records compared",
    "ids": "Ids compared",
    "differences": "Differences",
    "gone": "Deletions that nothing had told of",
    "invisible": "Not shown by Salesforce",
}
_TROUBLE = frozenset({"unreadable", "failed", "refused", "kept_old", "differences", "invisible"})
_PARAMETERS = {
    "since": "Modified since",
    "where": "Condition",
    "ids": "Records by id",
    "mode": "Way",
    "dry_run": "Dry run",
    "broadcast": "Broadcast",
    "include_deleted": "Recycle bin too",
    "repair": "Mends what differs",
    "size": "Records",
}
_AFTER_PAUSE = {
    "backfill": "what is in the log stays there",
    "rebuild": "the old documents are served as before",
}


def kind_words(kind: str) -> str:
    """Return the kind of a run; one without words reads as it is written."""
    return _KINDS.get(kind, kind.replace("_", " ").replace("-", " ").capitalize())


def title_of(run: RunView) -> str:
    """Return what a run is about."""
    target = run.target or ("everything" if run.kind in _OF_EVERYTHING else "")
    joined = f" of {target}" if run.kind.startswith("check-") and target else f" {target}"
    return f"{kind_words(run.kind)}{joined}".strip()


def meaning_of(run: RunView) -> str:
    """Return what a run of this kind does."""
    return _MEANINGS.get(run.kind, "")


def steering_words(run: RunView) -> str:
    """Return what pausing and cancelling do to what is done."""
    kept = _AFTER_PAUSE.get(run.kind, "what is done stays done")
    return f"Pausing keeps the place. Cancelling ends it here: {kept}."


def count_rows(run: RunView) -> list[tuple[str, int, bool]]:
    """Return what was done: words, number, and whether somebody should look at it."""
    return [(_count_words(name, run), number, bool(number) and name in _TROUBLE) for name, number in run.counts.items()]


def _count_words(name: str, run: RunView) -> str:
    if name.startswith("cause: "):
        return f"of these: {name.removeprefix('cause: ')}"
    if name == "recorded" and run.parameters.get("dry_run"):
        return "Records that would be brought up to date"
    return _COUNTS.get(name, name.replace("_", " ").capitalize())


def parameter_rows(run: RunView) -> list[tuple[str, Any]]:
    """Return what was asked for beside the target; what was left at its default is not said."""
    return [
        (_PARAMETERS.get(name, name.replace("_", " ").capitalize()), _shown(name, value))
        for name, value in run.parameters.items()
        if value not in (None, "", [], False) or (name == "repair" and value is False)
    ]


def _shown(name: str, value: Any) -> Any:
    return f"{len(value):,} named" if name == "ids" and isinstance(value, Sequence) else value


def unit_of(run: RunView) -> str:
    """Return what the run's progress counts."""
    return "rows" if "rows" in run.counts or run.kind == "backfill" else "records"


def result_of(run: RunView, took: str) -> str:
    """Return how a run that came to its end went, in a sentence."""
    if run.status is not RunStatus.DONE:
        return ""
    counts = run.counts
    if run.kind.startswith("check-"):
        found = counts.get("differences", 0)
        return (
            f"{found:,} {'difference' if found == 1 else 'differences'} found in {took}."
            if found
            else (f"No difference found, in {took}.")
        )
    if "rows" in counts:
        would = "would be" if run.parameters.get("dry_run") else "were"
        return (
            f"{counts['rows']:,} rows read in {took}; {counts.get('recorded', 0):,} records {would} brought up to date."
        )
    return f"Done in {took}."
