"""Names of Salesforce records: the 18-character id and the key of a stream."""

import re
from functools import lru_cache
from typing import NamedTuple, Self

from crm_events.domain.errors import InvalidIdError

_CHECKSUM_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_IS_CAPITAL = str.maketrans({char: "1" if "A" <= char <= "Z" else "0" for char in map(chr, range(128))})
_ID_15 = re.compile(r"[0-9A-Za-z]{15}")
_ID_18 = re.compile(r"[0-9A-Za-z]{15}[0-5A-Za-z]{3}")
# An API name: letters, digits and underscores, beginning with a letter. Salesforce allows 80 characters with suffixes.
_ENTITY_NAME = re.compile(r"[A-Za-z][0-9A-Za-z_]{0,99}")
# GAP_OVERFLOW events carry this in place of a record id (Change Data Capture guide, cdc_other_events_overflow).
OVERFLOW_ID = "000000000000000AAA"
_WILDCARD = re.compile(r"[0-9A-Za-z]{3}\*")


def id_checksum(id15: str) -> str:
    """Return the three characters that make a case-sensitive 15-character id safe to compare without case."""
    # Each five characters make a number, the first of them its lowest bit.
    bits = id15.translate(_IS_CAPITAL)[::-1]
    return "".join([_CHECKSUM_ALPHABET[int(bits[start : start + 5], 2)] for start in (10, 5, 0)])


# The same records come back in most deliveries.
@lru_cache(maxsize=16_384)
def normalize_id(value: str) -> str:
    """Return the 18-character form of a 15- or 18-character record id.

    An 18-character id whose letters lost their case somewhere gets it back from its checksum. One of mixed case whose
    checksum tells of another mixture is kept as it came: nobody can say which of the two is right.

    :raises InvalidIdError: the text is no record id, or its checksum is that of no such id in any case.
    """
    if _ID_15.fullmatch(value):
        return value + id_checksum(value)
    if not _ID_18.fullmatch(value):
        raise InvalidIdError(value, "wanted 15 or 18 letters and digits")
    if id_checksum(value[:15]) == value[15:]:
        return value
    return _restore_case(value)


def _restore_case(value: str) -> str:
    checksum = value[15:].upper()
    chars = []
    for position, char in enumerate(value[:15]):
        mask = _CHECKSUM_ALPHABET.index(checksum[position // 5])
        chars.append(char.upper() if mask >> (position % 5) & 1 else char.lower())
    restored = "".join(chars)
    if id_checksum(restored) != checksum:
        raise InvalidIdError(value, "its last three characters do not fit the first fifteen")
    # Only ids that are all lower or all upper case have plainly lost it.
    return restored + checksum if value[:15] in (restored, restored.lower(), restored.upper()) else value


def is_wildcard_id(value: str) -> bool:
    """Say whether the id stands for every record of an object, such as ``001*``."""
    return _WILDCARD.fullmatch(value) is not None


def is_entity_name(value: str) -> bool:
    """Say whether the text can be the API name of a Salesforce object."""
    return _ENTITY_NAME.fullmatch(value) is not None


class StreamKey(NamedTuple):
    """The name of one record's stream: Salesforce object name and 18-character id."""

    entity_name: str
    entity_id: str

    def __str__(self) -> str:
        return f"{self.entity_name}#{self.entity_id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``Account#001...``; a 15-character id is completed.

        :raises InvalidIdError: there is no ``#``, no object name or no record id.
        """
        entity_name, separator, entity_id = text.partition("#")
        if not separator or not is_entity_name(entity_name):
            raise InvalidIdError(text, "wanted an object name, '#' and a record id, such as Account#001Qy00000KdT1aIAF")
        return cls(entity_name, normalize_id(entity_id))
