"""Record ids and transaction keys as Salesforce gives them out, from counters."""

import hashlib
from collections import Counter

from crm_events.domain.identifiers import id_checksum

# Key prefixes of standard objects, and one of those that custom objects get.
_PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "Lead": "00Q",
    "Contract": "800",
    "Work_Order_Line__c": "a0B",
}
PERSON_RECORD_TYPE = "012Qy0000004TtU" + id_checksum("012Qy0000004TtU")
_BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Mint:
    """Give out ids and keys; another ``salt`` gives others, so that two orgs never share a record."""

    def __init__(self, salt: str) -> None:
        self._salt = salt
        self._org_part = _base_62(int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big"), 4)
        self._counts: Counter[str] = Counter()

    def record_id(self, entity: str) -> str:
        """Return the next 18-character id of an object."""
        self._counts[entity] += 1
        id15 = f"{_PREFIXES[entity]}Qy0{self._org_part}{_base_62(self._counts[entity], 5)}"
        return id15 + id_checksum(id15)

    def transaction_key(self) -> str:
        """Return the key of the next transaction."""
        self._counts["transaction"] += 1
        digest = hashlib.sha256(f"{self._salt}/{self._counts['transaction']}".encode()).hexdigest()
        return f"0000{digest[:4]}-{digest[4:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:28]}"


def _base_62(number: int, width: int) -> str:
    """Return the last ``width`` digits of a number to the base 62."""
    digits = ""
    for _ in range(width):
        number, rest = divmod(number, len(_BASE_62))
        digits = _BASE_62[rest] + digits
    return digits
