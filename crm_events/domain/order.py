"""The order in which the events of one record fold, whatever order they arrive in."""

from typing import NamedTuple, Self

# Milliseconds to the year 33658, any non-negative 64-bit commit number, and sequence numbers or milliseconds to 10^15.
MAX_COMMIT_TIMESTAMP = 10**15 - 1
MAX_COMMIT_NUMBER = 2**63 - 1
MAX_SEQUENCE_NUMBER = 10**15 - 1


class OrderKey(NamedTuple):
    """(commit timestamp in epoch milliseconds, commit number, sequence number), all exact integers.

    The timestamp leads because commit numbers may go backwards when an org is migrated; it has a resolution of one
    second, so the commit number breaks ties (Change Data Capture guide, cdc_event_fields_header).
    """

    commit_timestamp: int
    commit_number: int
    sequence_number: int

    def __str__(self) -> str:
        """Return the zero-padded form, whose text order is the order of the keys."""
        return "%015d-%019d-%015d" % self  # noqa: UP031  # every event is named by it, and formatting takes longer

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the zero-padded form back.

        :raises ValueError: the text is not of that form.
        """
        timestamp, number, sequence = text.split("-")
        return cls(int(timestamp), int(number), int(sequence))

    @classmethod
    def of_snapshot(cls, read_start_ms: int, system_modstamp_ms: int | None) -> Self:
        """Return the key of a row that we read ourselves.

        It stands before every CDC event of its second, so a change committed in that second folds over the row; the
        read start breaks ties between two readings.
        """
        newest = max(read_start_ms, system_modstamp_ms or 0)
        return cls(newest // 1000 * 1000, 0, read_start_ms)
