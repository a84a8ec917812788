import importlib
import os
from typing import Any

import boto3
import pytest
from moto import mock_aws

from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.forwarder import SecretKey, Settings
from tests.templates import TEMPLATE, of_type, properties, resources

Table = dict[str, Any]


def named(things: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return {thing[name]: {key: value for key, value in thing.items() if key != name} for thing in things}


def as_provisioned(table: str) -> Table:
    """Return what the adapter's ``provision`` makes of a table, in the template's words."""
    client: Any = boto3.client("dynamodb")
    found = client.describe_table(TableName=table)["Table"]
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return {
        "attributes": named(found["AttributeDefinitions"], "AttributeName"),
        "key": found["KeySchema"],
        "indexes": named([index_of(index) for index in found.get("GlobalSecondaryIndexes", [])], "IndexName"),
        "local": named([index_of(index) for index in found.get("LocalSecondaryIndexes", [])], "IndexName"),
        "billing": found["BillingModeSummary"]["BillingMode"],
        "protected": found["DeletionProtectionEnabled"],
        "stream": found.get("StreamSpecification", {}).get("StreamViewType"),
        "backups": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED",
    }


def index_of(index: dict[str, Any]) -> dict[str, Any]:
    return {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}


def as_written(table: Table) -> Table:
    return {
        "attributes": named(table["AttributeDefinitions"], "AttributeName"),
        "key": table["KeySchema"],
        "indexes": named(table.get("GlobalSecondaryIndexes", []), "IndexName"),
        "local": named(table.get("LocalSecondaryIndexes", []), "IndexName"),
        "billing": table["BillingMode"],
        "protected": table["DeletionProtectionEnabled"],
        "stream": table.get("StreamSpecification", {}).get("StreamViewType"),
        "backups": table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled", False),
    }


def test_the_tables_are_those_that_the_adapter_provisions() -> None:
    written = {table["TableName"]: as_written(table) for table in of_type("AWS::DynamoDB::Table").values()}
    with mock_aws():
        DynamoDBEventStore("crm").provision()
        provisioned = {name: as_provisioned(name) for name in boto3.client("dynamodb").list_tables()["TableNames"]}

    assert written == provisioned


def test_what_cannot_be_made_again_stays_when_the_stack_goes() -> None:
    kept = {name for name, each in resources().items() if each.get("DeletionPolicy") == "Retain"}
    assert kept == {"EventsTable", "StreamsTable", "RelayQueue", "RelayDeadLetters"}


def test_a_message_stays_hidden_for_six_times_the_functions_timeout() -> None:
    assert properties("RelayQueue")["VisibilityTimeout"] >= 6 * properties("Forwarder")["Timeout"]


def test_the_function_waits_for_the_service_less_long_than_it_may_run() -> None:
    variables = properties("Forwarder")["Environment"]["Variables"]
    assert float(variables["API_TIMEOUT"]) < properties("Forwarder")["Timeout"]


def test_the_functions_variables_are_those_it_reads() -> None:
    variables = properties("Forwarder")["Environment"]["Variables"] | {"API_URL": "https://crm.example.com"}
    settings = Settings.from_environment(variables)
    assert isinstance(settings.key, SecretKey)
    assert settings.timeout == float(variables["API_TIMEOUT"])
    assert set(variables) == {"API_URL", "API_KEY_SECRET", "API_TIMEOUT"}


def test_the_functions_handler_and_archive_are_where_the_template_says() -> None:
    module, _, name = properties("Forwarder")["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
    archive = os.path.normpath(TEMPLATE.parent / properties("Forwarder")["CodeUri"])
    assert archive == str(TEMPLATE.parents[1] / "build" / "forwarder.zip")


def test_failed_messages_alone_come_back_and_end_in_the_dead_letter_queue() -> None:
    mapping = properties("Forwarder")["Events"]["Queue"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties("RelayQueue")["RedrivePolicy"]["deadLetterTargetArn"] == "RelayDeadLetters.Arn"
    (target,) = properties("RelayRule")["Targets"]
    assert (target["Arn"], target["DeadLetterConfig"]["Arn"]) == ("RelayQueue.Arn", "RelayDeadLetters.Arn")


@pytest.mark.parametrize("name", sorted(of_type("AWS::SQS::Queue")))
def test_queues_are_encrypted_and_keep_messages_for_two_weeks(name: str) -> None:
    queue = properties(name)
    assert (queue["SqsManagedSseEnabled"], queue["MessageRetentionPeriod"]) == (True, 14 * 24 * 3600)


@pytest.mark.parametrize("name", sorted(of_type("AWS::CloudWatch::Alarm")))
def test_alarms_reach_the_topic_and_are_explained(name: str) -> None:
    assert properties(name)["AlarmActions"] == ["AlarmTopicArn"]
    assert f"`{name}`" in (TEMPLATE.parent / "README.md").read_text()
