"""JSON for people: indented and coloured, every digit and escape as it came."""

import re
from collections.abc import Iterator

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# What a page shows of one text; the whole is for download.
SHOWN_CHARACTERS = 200_000
# Nesting beyond this is not indented any further: the text would grow with the square of its depth.
_MAX_INDENT = 40
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|"', re.DOTALL)
_EMPTY = {"{": "}", "[": "]"}


def pretty_json(text: str) -> SafeString:
    """Return the text as HTML, indented piece by piece; it need not be whole, nor even JSON.

    No value is decoded, so nineteen digits stay nineteen and ``1.10`` keeps its nought.
    """
    return mark_safe("".join(_pieces(text[:SHOWN_CHARACTERS])))  # noqa: S308  # each piece is escaped


def _pieces(text: str) -> Iterator[str]:
    pieces = _PIECE.findall(text)
    depth = 0
    for position, piece in enumerate(pieces):
        following = pieces[position + 1] if position + 1 < len(pieces) else ""
        previous = pieces[position - 1] if position else ""
        if piece in "{[":
            depth += 1
            yield piece if following == _EMPTY[piece] else piece + _line(depth)
        elif piece in "}]":
            depth -= 1
            yield piece if _EMPTY.get(previous) == piece else _line(depth) + piece
        elif piece == ",":
            yield "," + _line(depth)
        else:
            yield ": " if piece == ":" else _value(piece, is_name=following == ":")


def _line(depth: int) -> str:
    return "\n" + "  " * max(0, min(depth, _MAX_INDENT))


def _value(piece: str, *, is_name: bool) -> str:
    if piece.startswith('"'):
        kind = "name" if is_name else "text"
    else:
        kind = "number" if piece[0] in "-0123456789" else "word"
    return f'<span class="cm-json-{kind}">{escape(piece)}</span>'
