"""Differences between Salesforce, the log and the documents: what was found, why, and what was done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """What was compared with what."""

    UNFINISHED = "unfinished"  # deliveries nobody finished, streams the read side has not caught up with
    WINDOWS = "windows"  # what Salesforce says was changed and deleted, against the log
    IDS = "ids"  # all ids of an object, against the log's streams
    SAMPLE = "sample"  # some records field by field, against the log
    DOCUMENTS = "documents"  # the read model against the log
    BROADCASTS = "broadcasts"  # messages that were not sent


class Cause(StrEnum):
    """Why there is a difference."""

    MISSED_EVENT = "missed event"  # Salesforce changed the record, and no event of it came
    LATE = "late"  # the event came after the comparison began
    IN_FLIGHT = "in flight"  # changed so recently that its event may still come
    HARD_DELETE = "hard delete"  # the record is gone for good, and nothing told of it
    NOT_VISIBLE = "not visible"  # Salesforce does not show us the record any more
    FORMULA = "formula field"  # calculated by Salesforce; its value changes without an event
    PARKED = "parked"  # the record could not be projected; its dead letter says why
    MAPPING = "mapping"  # the document was made by an older mapping
    STUCK = "stuck"  # work that was accepted and not finished in time


class Remedy(StrEnum):
    """What was done about a difference."""

    NONE = "none"  # only reported
    READ_AGAIN = "read again"  # its row was read from Salesforce and went into the log
    DELETED = "deleted"  # a DELETE of ours went into the log
    PROJECTED = "projected"  # handed to the projector again
    LEFT = "left"  # nothing to do: it settles by itself, or an operator has to decide


# What settles by itself is told, and is no reason for alarm.
HARMLESS = frozenset({Cause.LATE, Cause.IN_FLIGHT})

# Checks that read Salesforce, and checks that look at the whole service rather than at one object.
OF_SALESFORCE = frozenset({Check.WINDOWS, Check.IDS, Check.SAMPLE})
OF_THE_WHOLE = frozenset({Check.UNFINISHED, Check.BROADCASTS})


def run_kind(check: Check) -> str:
    """Return the kind of the runs of a check."""
    return f"check-{check.value}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    ``subject`` is a stream key (``Account#001...``), or what has none (``delivery 0192...``). ``fields`` names the
    columns or document fields, ``detail`` says in words what is so.
    """

    check: Check
    cause: Cause
    subject: str
    fields: Sequence[str] = ()
    detail: str = ""
    remedy: Remedy = Remedy.NONE
