"""Tables for people in a terminal, and plain lines for everything that reads a command's output."""

from collections.abc import Sequence
from io import TextIOBase
from typing import IO, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

Cell = Text | str


def console_for(stream: TextIOBase) -> Console:
    """Return a console on a command's own output, which guesses at nothing."""
    return Console(file=cast("IO[str]", stream), highlight=False)


def print_table(console: Console, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows under headings; where no person looks, one line for each row, cells in columns, nothing cut off."""
    if console.is_terminal:
        console.print(_table(headings, rows))
        return
    plain = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*plain, strict=True)]
    for row in plain:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        console.print("  ".join(cells).rstrip(), markup=False, soft_wrap=True)


def _table(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table
