"""Record ids and transaction keys as Salesforce gives them out, from counters."""

import hashlib
from collections import Counter
from collections.abc import Mapping

from crm_events.domain.identifiers import id_checksum
from crm_events.simulator.schema import OBJECTS

_PREFIXES = {"User": "005", "Job": "750"}
PERSON_RECORD_TYPE = "012Qy0000004TtU" + id_checksum("012Qy0000004TtU")
_BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# So wide is the part of an id that counts.
_COUNT_WIDTH = 5


class Mint:
    """Give out ids and keys; another ``salt`` gives others, so that two orgs never share a record."""

    def __init__(self, salt: str, counts: Mapping[str, int] | None = None) -> None:
        self.salt = salt
        self.counts: Counter[str] = Counter(counts)
        self._org_part = _base_62(int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big"), 4)

    def record_id(self, entity: str) -> str:
        """Return the next 18-character id of an object."""
        self.counts[entity] += 1
        return self.nth_id(entity, self.counts[entity])

    def nth_id(self, entity: str, number: int) -> str:
        """Return the id that an object's record of that number has; they sort as the numbers do."""
        prefix = OBJECTS[entity].prefix if entity in OBJECTS else _PREFIXES[entity]
        id15 = f"{prefix}Qy0{self._org_part}{_base_62(number, _COUNT_WIDTH)}"
        return id15 + id_checksum(id15)

    def transaction_key(self) -> str:
        """Return the key of the next transaction."""
        self.counts["transaction"] += 1
        digest = hashlib.sha256(f"{self.salt}/{self.counts['transaction']}".encode()).hexdigest()
        return f"0000{digest[:4]}-{digest[4:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:28]}"


def _base_62(number: int, width: int) -> str:
    """Return the last ``width`` digits of a number to the base 62."""
    digits = ""
    for _ in range(width):
        number, rest = divmod(number, len(_BASE_62))
        digits = _BASE_62[rest] + digits
    return digits
