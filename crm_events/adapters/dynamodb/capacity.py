"""How much capacity DynamoDB says that calls consumed, counted for Prometheus."""

from typing import Any, Final

from prometheus_client import Counter

# What to count as reads and writes; calls that manage tables consume none.
KINDS: Final = {
    "get_item": "read",
    "query": "read",
    "batch_get_item": "read",
    "batch_write_item": "write",
    "batch_execute_statement": "write",
    "transact_write_items": "write",
}
consumed_units = Counter(
    "crm_dynamodb_consumed_units",
    "Capacity units that DynamoDB counted, of its indexes too.",
    ["table", "operation", "kind"],
)


def count_consumed(operation: str, answer: dict[str, Any]) -> None:
    """Add what an answer says it consumed; one call may have touched several tables."""
    consumed = answer.get("ConsumedCapacity") or []
    for part in consumed if isinstance(consumed, list) else [consumed]:
        consumed_units.labels(part["TableName"], operation, KINDS[operation]).inc(part["CapacityUnits"])
