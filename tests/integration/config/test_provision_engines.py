import uuid
from collections.abc import Iterator

import boto3
import pytest
import requests

from config.provisioning import examine_adapter
from crm_events.backends import build_adapter
from crm_events.ports.provisioning import Condition

READY = {Condition.READY, Condition.UNSUPPORTED}


@pytest.fixture
def prefix() -> str:
    return f"provision-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def dynamodb(dynamodb_endpoint: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
    yield {
        "BACKEND": "crm_events.adapters.dynamodb.event_store.DynamoDBEventStore",
        "OPTIONS": {"table_prefix": prefix},
    }
    client = boto3.client("dynamodb")
    for table in client.list_tables(ExclusiveStartTableName=prefix)["TableNames"]:
        if table.startswith(prefix):
            client.update_table(TableName=table, DeletionProtectionEnabled=False)
            client.delete_table(TableName=table)


@pytest.fixture
def opensearch(opensearch_url: str, prefix: str) -> Iterator[dict[str, object]]:
    options = {"auth": "none", "username": "", "password": "", "ca_certs": ""}
    yield {
        "BACKEND": "crm_projections.adapters.opensearch.read_model.OpenSearchReadModel",
        "OPTIONS": {"hosts": [opensearch_url], "index_prefix": prefix, **options},
    }
    for index in requests.get(f"{opensearch_url}/_cat/indices/{prefix}*?h=index", timeout=10).text.split():
        requests.delete(f"{opensearch_url}/{index}", timeout=10)
    requests.delete(f"{opensearch_url}/_index_template/{prefix}*", timeout=10)


@pytest.fixture
def eventbridge(aws_endpoint: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", aws_endpoint)
    options = {"source": "tests", "max_request_bytes": 262_144, "public_url": "https://crm.example.com"}
    yield {
        "BACKEND": "crm_projections.adapters.eventbridge.EventBridgeBroadcaster",
        "OPTIONS": {"bus": prefix, **options},
    }
    boto3.client("events").delete_event_bus(Name=prefix)


@pytest.mark.parametrize("engine", ["dynamodb", "opensearch", "eventbridge"])
def test_makes_what_an_engine_lacks_once(engine: str, request: pytest.FixtureRequest) -> None:
    adapter = build_adapter(request.getfixturevalue(engine))

    def conditions(*, change: bool) -> set[Condition]:
        report = examine_adapter(engine, lambda: adapter, change=change)
        assert report.error == ""
        return {finding.condition for finding in report.findings} - READY

    assert conditions(change=False) == {Condition.MISSING}
    assert conditions(change=True) == {Condition.CREATED}
    assert conditions(change=False) == set()
    assert conditions(change=True) == set()
