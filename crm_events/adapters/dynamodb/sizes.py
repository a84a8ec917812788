"""How large an item is, as DynamoDB counts it, and where its limits are."""

from typing import Any, Final

# Service quotas: 400 KB an item, 100 actions and 4 MB a transaction. A little is left for keys and for counting.
MAX_ITEM_BYTES: Final = 400_000
MAX_ACTIONS: Final = 100
MAX_TRANSACTION_BYTES: Final = 4_000_000
# The most that a number takes (Developer Guide, CapacityUnitCalculations).
_NUMBER_BYTES = 21


def item_size(item: dict[str, Any]) -> int:
    """Return the bytes of an item's names and values, numbers as if they were the longest."""
    return sum(len(name) + _value_size(value) for name, value in item.items())


def _value_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    return len(content) if kind == "B" else _NUMBER_BYTES
