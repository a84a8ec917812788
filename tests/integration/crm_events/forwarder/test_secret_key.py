import json
import uuid
from collections.abc import Iterator

import boto3
import pytest

from crm_events.forwarder import KeyUnavailableError, SecretKey
from engines.catalogue import INVENTED_AWS
from tests.e2e.serving import free_port
from tests.integration.crm_events.forwarder.posted import Gateway


def a_key(url: str) -> SecretKey:
    return SecretKey("crm/forwarder", {**INVENTED_AWS, "AWS_ENDPOINT_URL": url})


def answer(gateway: Gateway, status: int, body: object) -> None:
    gateway.answer = lambda _: (status, json.dumps(body).encode())


def test_it_is_read_once_and_again_when_asked(gateway: Gateway) -> None:
    answer(gateway, 200, {"SecretString": "one"})
    key = a_key(gateway.url)
    assert [key.read(), key.read()] == ["one", "one"]

    answer(gateway, 200, {"SecretString": "two"})
    assert [key.read(again=True), key.read()] == ["two", "two"]
    assert [json.loads(post.body) for post in gateway.posts] == [{"SecretId": "crm/forwarder"}] * 2


@pytest.mark.parametrize("text", ["k1", " k1\n", '"k1"', '{"api_key": "k1"}'])
def test_it_stands_alone_or_in_an_object(gateway: Gateway, text: str) -> None:
    answer(gateway, 200, {"SecretString": text})
    assert a_key(gateway.url).read() == "k1"


@pytest.mark.parametrize(
    "body",
    [{"SecretString": ""}, {"SecretString": "{}"}, {"SecretString": "[1]"}, {"SecretString": "a\nb"}, {}, "text"],
)
def test_a_secret_without_a_key_says_what_to_store(gateway: Gateway, body: object) -> None:
    answer(gateway, 200, body)
    with pytest.raises(KeyUnavailableError, match="Next: store"):
        a_key(gateway.url).read()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "ResourceNotFoundException", "API_KEY_SECRET"),
        (400, "AccessDeniedException", "secretsmanager:GetSecretValue"),
        (500, "InternalServiceError", "InternalServiceError"),
    ],
)
def test_a_refusal_says_what_to_do(gateway: Gateway, status: int, code: str, words: str) -> None:
    answer(gateway, status, {"__type": f"com.amazonaws#{code}"})
    with pytest.raises(KeyUnavailableError, match=words):
        a_key(gateway.url).read()


def test_without_an_answer_it_is_unavailable() -> None:
    with pytest.raises(KeyUnavailableError, match="does not answer"):
        a_key(f"http://127.0.0.1:{free_port()}").read()


@pytest.fixture
def secret(aws_endpoint: str) -> Iterator[str]:
    client = boto3.client("secretsmanager", endpoint_url=aws_endpoint)
    name = f"test/{uuid.uuid4()}"
    client.create_secret(Name=name, SecretString="k1")
    yield name
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_it_is_read_from_secrets_manager(aws_endpoint: str, secret: str) -> None:
    variables = {**INVENTED_AWS, "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws_endpoint}
    assert SecretKey(secret, variables).read() == "k1"
    with pytest.raises(KeyUnavailableError, match="API_KEY_SECRET"):
        SecretKey("test/nothing", variables).read()
