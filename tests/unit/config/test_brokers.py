import pytest
from kombu.connection import Connection

from config import brokers

REDIS, RABBITMQ, SQS = "redis://redis.example.org:6379/0", "amqp://crm:secret@rabbit.example.org//crm", "sqs://"


def options(url: str, **queues: str) -> dict[str, object]:
    return brokers.transport_options(url, prefix="crm-", visibility_seconds=60, sqs_queues=queues)


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        (REDIS, "redis"),
        ("rediss://redis.example.org", "redis"),
        ("sentinel://one:26379;sentinel://two:26379", "redis"),
        (RABBITMQ, "amqp"),
        ("amqps://rabbit.example.org", "amqp"),
        (SQS, "sqs"),
        ("memory://", "memory"),
    ],
)
def test_knows_the_broker_by_its_address(url: str, scheme: str) -> None:
    assert brokers.scheme_of(url) == scheme


@pytest.mark.parametrize("url", ["filesystem://", "sqla+sqlite:///queue.sqlite3", "redis.example.org:6379"])
def test_refuses_brokers_that_lose_tasks_or_that_nobody_tried(url: str) -> None:
    with pytest.raises(ValueError, match="CELERY_BROKER_URL"):
        brokers.scheme_of(url)


@pytest.mark.parametrize("url", [REDIS, RABBITMQ, SQS])
def test_never_connects_again_and_again_while_a_request_waits(url: str) -> None:
    assert options(url)["max_retries"] == 0


def test_lets_redis_restore_within_seconds_of_the_visibility() -> None:
    redis = options(REDIS)
    assert (redis["visibility_timeout"], redis["unacked_restore_throttle"]) == (60, 1)


def test_passes_on_nothing_that_kombu_s_redis_does_not_know() -> None:
    with Connection(REDIS) as connection:
        known = set(connection.transport.Channel.from_transport_options) | {"max_retries"}
    assert set(options(REDIS)) <= known


def test_waits_for_rabbitmq_s_word() -> None:
    assert options(RABBITMQ)["confirm_publish"] is True


def test_names_queues_of_sqs_that_somebody_else_made() -> None:
    assert options(SQS, ingest="https://sqs/1/crm-ingest")["predefined_queues"] == {
        "crm-ingest": {"url": "https://sqs/1/crm-ingest"}
    }
    assert "predefined_queues" not in options(SQS)


def test_speaks_to_sqs_by_a_transport_that_goes_on_polling() -> None:
    assert brokers.transport(SQS) == "config.sqs:Transport"
    assert brokers.transport(REDIS) is None


def test_asks_workers_nothing_where_there_is_no_broadcast() -> None:
    assert [brokers.takes_remote_control(url) for url in (REDIS, RABBITMQ, SQS, "memory://")] == [
        True,
        True,
        False,
        False,
    ]
