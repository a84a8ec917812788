"""A bulk query job, and the file that its rows are read from."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_PIECE_BYTES = 64 * 1024
_OFFSET = struct.Struct("<Q")


@dataclass(slots=True)
class BulkJob:
    """A job as Salesforce tells of it. ``is_written`` says that all its ``rows`` are in the file."""

    id: str
    operation: str
    query: str
    entity: str
    version: str
    delimiter: str
    line_ending: str
    user: str
    created_ms: int
    state: str = "UploadComplete"
    polls: int = 0
    rows: int = 0
    is_written: bool = False
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the job as its own arguments."""
        return asdict(self)


class ResultFile:
    """Rows as lines of CSV without a header, and beside it where each of them ends."""

    def __init__(self, path: Path) -> None:
        self._lines = path.with_suffix(".csv")
        self._ends = path.with_suffix(".ends")

    @contextmanager
    def writing(self) -> Iterator[Callable[[bytes], None]]:
        """Begin anew; give what adds the text of one row."""
        position = 0
        with self._lines.open("wb") as lines, self._ends.open("wb") as ends:

            def add(line: bytes) -> None:
                nonlocal position
                lines.write(line)
                position += len(line)
                ends.write(_OFFSET.pack(position))

            yield add

    def span(self, start: int, count: int) -> tuple[int, int]:
        """Return where the text of some rows begins and ends."""
        return self._end_of(start), self._end_of(start + count)

    def read(self, begin: int, end: int) -> Iterator[bytes]:
        """Yield the text between two places."""
        with self._lines.open("rb") as lines:
            lines.seek(begin)
            while begin < end:
                piece = lines.read(min(_PIECE_BYTES, end - begin))
                begin += len(piece)
                yield piece

    def remove(self) -> None:
        """Remove the files, if there are any."""
        self._lines.unlink(missing_ok=True)
        self._ends.unlink(missing_ok=True)

    def _end_of(self, row: int) -> int:
        """Return where the row before a row ends."""
        if not row:
            return 0
        with self._ends.open("rb") as ends:
            ends.seek((row - 1) * _OFFSET.size)
            end: int = _OFFSET.unpack(ends.read(_OFFSET.size))[0]
        return end
