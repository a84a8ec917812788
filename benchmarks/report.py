"""How results are timed and shown."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison: ours and the yardstick in the same unit, the ratio that counts, and the aim."""

    name: str
    ours: str
    yardstick: str
    ratio: str
    aim: str


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_milliseconds(samples: list[float]) -> float:
    """Return the median of times in seconds, as milliseconds."""
    return statistics.median(samples) * 1000


def show(results: list[Result]) -> None:
    """Print the results as a table."""
    table = Table(title="Side by side, one process run")
    for column in ("what", "ours", "yardstick", "ratio", "aim"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for result in results:
        table.add_row(result.name, result.ours, result.yardstick, result.ratio, result.aim)
    Console(width=150).print(table)
