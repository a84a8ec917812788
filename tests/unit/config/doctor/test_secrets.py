import pytest

from config.doctor.secrets import redact, secrets_of


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("SECRET_KEY", "signs-sessions", "signs-sessions"),
        ("OPENSEARCH_PASSWORD", "search-word", "search-word"),
        ("AWS_SESSION_TOKEN", "long-token", "long-token"),
        ("DATABASE_URL", "postgres://crm:data-word@db:5432/crm", "data-word"),
        ("DATABASE_URL", "postgres://crm:p%40ss-word@db:5432/crm", "p@ss-word"),
        ("CELERY_BROKER_URL", "redis://:redis-word@cache:6379/0", "redis-word"),
    ],
)
def test_masks_what_the_environment_keeps_secret(name: str, value: str, secret: str) -> None:
    assert secret not in redact(f"it said: {secret}!", secrets_of({name: value}))


def test_masks_the_password_within_any_address() -> None:
    assert redact("cannot reach amqp://crm:a-word@mq:5672//", []) == "cannot reach amqp://crm:•••@mq:5672//"


def test_leaves_plain_values_readable() -> None:
    environment = {"EVENT_STORE": "dynamodb", "DEMO_TOKEN": "0", "DATABASE_URL": "postgres://crm@db/crm"}
    assert redact("dynamodb 0 postgres://crm@db/crm", secrets_of(environment)) == "dynamodb 0 postgres://crm@db/crm"
