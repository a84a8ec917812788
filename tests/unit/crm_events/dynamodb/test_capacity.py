from prometheus_client import REGISTRY

from crm_events.adapters.dynamodb.capacity import count_consumed


def counted(table: str, operation: str, kind: str) -> float:
    labels = {"table": table, "operation": operation, "kind": kind}
    return REGISTRY.get_sample_value("crm_dynamodb_consumed_units_total", labels) or 0.0


def test_counts_what_a_call_consumed_of_each_table() -> None:
    parts = [{"TableName": "u1-events", "CapacityUnits": 4.0}, {"TableName": "u1-streams", "CapacityUnits": 2.0}]
    count_consumed("transact_write_items", {"ConsumedCapacity": parts})
    count_consumed("transact_write_items", {"ConsumedCapacity": parts[:1]})
    assert counted("u1-events", "transact_write_items", "write") == 8.0
    assert counted("u1-streams", "transact_write_items", "write") == 2.0


def test_tells_reads_from_writes() -> None:
    count_consumed("query", {"ConsumedCapacity": {"TableName": "u2-events", "CapacityUnits": 0.5}})
    assert counted("u2-events", "query", "read") == 0.5


def test_counts_nothing_where_nothing_is_said() -> None:
    count_consumed("batch_execute_statement", {"Responses": []})
    count_consumed("describe_table", {"Table": {}})
