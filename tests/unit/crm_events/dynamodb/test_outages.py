import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
)

from crm_events.adapters.dynamodb.outages import MissingTableError, named_tables, outage_of


def words(code: str, message: str = "", status: int = 400) -> str:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return str(outage_of(ClientError(answer, "Query"), {"TableName": "crm-events"}))  # type: ignore[arg-type]


def test_says_how_to_create_a_missing_table() -> None:
    said = words("ResourceNotFoundException")
    assert said == "The table crm-events does not exist in DynamoDB. Create it: manage.py provision."


def test_says_how_to_create_a_missing_index() -> None:
    assert "manage.py provision" in words("ValidationException", "The table does not have the specified index: dirty")


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_says_that_throttled_work_is_tried_again(code: str) -> None:
    assert "takes no more requests for crm-events for now" in words(code)


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException"])
def test_asks_for_other_credentials(code: str) -> None:
    assert code in words(code)
    assert "credentials" in words(code)


def test_names_the_right_that_is_missing() -> None:
    assert "not authorized to perform: dynamodb:Query" in words(
        "AccessDeniedException", "User x is not authorized to perform: dynamodb:Query"
    )


def test_takes_every_failure_of_the_server_for_an_outage() -> None:
    assert "DynamoDB failed" in words("Whatever", status=503)


def test_leaves_a_mistake_of_ours_as_it_is() -> None:
    assert words("ValidationException", "One or more parameter values were invalid") == "None"
    assert outage_of(ParamValidationError(report="bad"), {}) is None


@pytest.mark.parametrize(
    ("error", "next_step"),
    [
        (NoRegionError(), "AWS_DEFAULT_REGION"),
        (NoCredentialsError(), "AWS_ACCESS_KEY_ID"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "AWS_ENDPOINT_URL_DYNAMODB"),
    ],
)
def test_says_what_to_set_where_nothing_answers(error: Exception, next_step: str) -> None:
    assert next_step in str(outage_of(error, {}))


def test_tells_a_missing_table_from_other_outages() -> None:
    answer = {"Error": {"Code": "ResourceNotFoundException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    assert isinstance(outage_of(ClientError(answer, "Query"), {}), MissingTableError)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "parameters",
    [
        {"TableName": "a"},
        {"RequestItems": {"a": []}},
        {"TransactItems": [{"Put": {"TableName": "a"}}, {"Update": {"TableName": "a"}}]},
        {"Statements": [{"Statement": 'UPDATE "a" SET x = ?'}]},
    ],
)
def test_knows_which_tables_a_call_is_about(parameters: dict[str, object]) -> None:
    assert named_tables(parameters) == "a"
