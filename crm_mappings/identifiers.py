"""The 18-character form of Salesforce ids, for lookups.

The write side has its own, stricter rule for ids of records: the two apps know nothing of each other. A test holds
that they agree on every id the write side takes.
"""

import re
from functools import lru_cache

_CHECKSUM_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)


def id_checksum(id15: str) -> str:
    """Return the three characters that say which letters of a 15-character id are upper case, five to each."""
    chunks = (id15[start : start + 5] for start in (0, 5, 10))
    return "".join(
        _CHECKSUM_ALPHABET[sum(1 << bit for bit, char in enumerate(chunk) if char.isupper())] for chunk in chunks
    )


# The same owners, clients and contacts come back in most records.
@lru_cache(maxsize=16_384)
def to_18_characters(value: str) -> str | None:
    """Return the id in 18 characters, or ``None`` if the text is no id.

    An id that lost the case of its letters gets it back; any other 18 letters and digits stay as Salesforce sent them.
    """
    if not _ID.fullmatch(value):
        return None
    stem, checksum = value[:15], value[15:].upper()
    if checksum in ("", id_checksum(stem)):
        return stem + id_checksum(stem)
    has_lost_case = stem in (stem.lower(), stem.upper())
    return (_with_case_restored(stem, checksum) if has_lost_case else None) or value


def _with_case_restored(stem: str, checksum: str) -> str | None:
    if any(char not in _CHECKSUM_ALPHABET for char in checksum):
        return None
    masks = [_CHECKSUM_ALPHABET.index(char) for char in checksum]
    restored = "".join(
        char.upper() if masks[position // 5] >> (position % 5) & 1 else char.lower()
        for position, char in enumerate(stem)
    )
    return restored + checksum if id_checksum(restored) == checksum else None
