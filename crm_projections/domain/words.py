"""How a text falls into the words that the text search looks for."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby

# A longer run counts by its beginning: indexes need a bound, and no name has such a word.
MAX_WORD_LENGTH = 255
_ASCII_RUN = re.compile(r"[A-Za-z0-9]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, lower-cased: the longest runs of letters, digits and their marks.

    Documents and queries are split by this one rule, so ``O'Brien`` is found by ``o'br``, ``brien`` and ``BRIEN O``.
    Words end after ``MAX_WORD_LENGTH`` characters.
    """
    runs: Iterable[str] = _ASCII_RUN.findall(text) if text.isascii() else _runs(text)
    # Split first: the lower case of some letters is a letter and a mark of its own.
    return [run.lower()[:MAX_WORD_LENGTH] for run in runs]


def _runs(text: str) -> Iterator[str]:
    for is_word, characters in groupby(text, _belongs_to_a_word):
        if is_word:
            yield "".join(characters)


def _belongs_to_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"
