"""Texts longer than a term of an index: cut into pieces that keep their order, their equality and their parts.

Lucene's terms have at most 32,766 bytes (``IndexWriter.MAX_TERM_LENGTH``), and OpenSearch makes automatons of at most
1,000 states of the bounds and beginnings that queries look for.
"""

import hashlib
from collections.abc import Iterable

MAX_TERM = 8_191  # characters, of four bytes at worst
MAX_BOUND_BYTES = 900  # of a bound or a beginning in a query
MAX_PART = 64  # characters of a text that is looked for anywhere in another
# Texts that agree in all their pieces and go on are in order of id; Salesforce's longest field has 131,072 characters.
PIECES = 16


def first_piece(text: str) -> str:
    """Return what is indexed of a text where all texts are."""
    return text[:MAX_TERM]


def is_long(text: str) -> bool:
    """Say whether a text may go on behind its first piece."""
    return len(text) >= MAX_TERM


def later_pieces(text: str) -> list[str]:
    """Return the pieces that follow the first, by which long texts are sorted."""
    ends = range(MAX_TERM, min(len(text), MAX_TERM * (PIECES + 1)), MAX_TERM)
    return [text[start : start + MAX_TERM] for start in ends]


def windows(text: str) -> list[str]:
    """Return overlapping pieces, in one of which each part of up to ``MAX_PART`` characters is found whole."""
    step = MAX_TERM - MAX_PART
    return [text[start : start + MAX_TERM] for start in range(0, len(text), step)]


def digest(text: str) -> str:
    """Return what two long texts are equal by."""
    return hashlib.sha256(text.encode()).hexdigest()


def digests(texts: Iterable[str]) -> list[str]:
    """Return the digests of those texts that are longer than a term."""
    return [digest(text) for text in texts if len(text) > MAX_TERM]


def bound(text: str) -> str:
    """Return the longest beginning that a query may hold as a bound."""
    if len(text) * 4 <= MAX_BOUND_BYTES:
        return text
    return text.encode()[:MAX_BOUND_BYTES].decode(errors="ignore")
