"""Files of events, one JSON event or array of events a line, read line by line and never as a whole."""

import json
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from crm_events.cdc import BodyError, split_body

# An event has at most 1 MB (cdc_allocations); a line may hold an array of them.
MAX_LINE_BYTES = 64 * 1024 * 1024
# Well below what the service takes in one request by default.
_MAX_BATCH_BYTES = 4 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Item(NamedTuple):
    """An event of a file: the number of its line, and its text as it stands there."""

    line: int
    text: str


class BadLine(NamedTuple):
    """A line that holds no event: its number, and what is wrong with it."""

    line: int
    reason: str


class FileLine(NamedTuple):
    """One line of a file: how many bytes it takes, and what it holds."""

    size: int
    holds: list[Item] | BadLine


def read_lines(file: BinaryIO) -> Iterator[FileLine]:
    """Yield the lines of a file; empty ones hold nothing."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            size = len(line) + _skip_line(file, line)
            yield FileLine(size, BadLine(number, f"It is longer than {MAX_LINE_BYTES:,} bytes."))
        else:
            yield FileLine(len(line), _read(number, line))


def batches(items: Iterator[Item], count: int) -> Iterator[list[Item]]:
    """Yield the items in groups of at most ``count``, and of a size that fits into one request."""
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and (len(batch) >= count or size + len(item.text) > _MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.text)
    if batch:
        yield batch


def body_of(items: list[Item]) -> bytes:
    """Return the array of events to send, each with its text untouched."""
    return f"[{','.join(item.text for item in items)}]".encode()


def _read(number: int, line: bytes) -> list[Item] | BadLine:
    if number == 1:
        line = line.removeprefix(_BYTE_ORDER_MARK)
    line = line.rstrip()
    if not line:
        return []
    try:
        return [Item(number, item.raw) for item in split_body(line)]
    except BodyError as error:
        return BadLine(number, _reason(error))


def _reason(error: BodyError) -> str:
    cause = error.__cause__
    if isinstance(cause, json.JSONDecodeError):
        return f"It is not JSON: {cause.msg} at character {cause.pos + 1}."
    return error.detail.replace("The body", "It")


def _skip_line(file: BinaryIO, line: bytes) -> int:
    """Read on to the end of a line that is too long; return how many bytes that took."""
    skipped = 0
    while not line.endswith(b"\n"):
        line = file.readline(MAX_LINE_BYTES)
        if not line:
            break
        skipped += len(line)
    return skipped
