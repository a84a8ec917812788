"""Example events, one file a case: the shapes are real, the values are invented."""

import csv
import io
from pathlib import Path

_FOLDER = Path(__file__).parent


def an_example(name: str) -> bytes:
    """Return the body of the example file whose name begins so, such as ``01-`` or ``16a``."""
    (path,) = _FOLDER.glob(f"{name}*")
    return path.read_bytes()


def csv_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of an example page of Bulk API 2.0."""
    # newline="": long texts hold line breaks of their own.
    return list(csv.DictReader(io.StringIO(an_example(name).decode(), newline="")))
