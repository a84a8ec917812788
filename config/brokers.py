"""What each message broker needs so that wake-ups travel promptly: a function of its address.

The broker carries wake-ups only. What is to be done stands in the operational database and the log, and sweeps find it
without any message; so every choice here is for promptness and for short waits, none for keeping messages safe.
"""

from collections.abc import Mapping
from typing import Any

# Longest wait for a connection, and for an answer on one: a request waits for it at most once in a while.
CONNECT_SECONDS = 2
ANSWER_SECONDS = 3
# One attempt. Without this Kombu connects again and again while a request waits.
_NO_RETRIES = {"max_retries": 0}
# How often the broker's consumers look for what a dead worker left (Redis).
_RESTORE_SECONDS = 5
# A consumer that dies while it restores blocks all others for so long (Redis).
_RESTORE_LOCK_SECONDS = 30
# The longest that SQS allows; it answers at once when a message comes.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-long-polling.html
_LONG_POLL_SECONDS = 20
_EMBEDDED_POLL_SECONDS = 0.02


_SCHEMES = {
    "redis": {"redis", "rediss", "sentinel"},
    "amqp": {"amqp", "amqps", "pyamqp"},
    "sqs": {"sqs"},
    "memory": {"memory"},
}


def scheme_of(url: str) -> str:
    """Return ``redis``, ``amqp``, ``sqs`` or ``memory``, whatever the encryption.

    :raises ValueError: it is another broker, which nobody tried with the service.
    """
    scheme = url.partition(":")[0]
    for known, names in _SCHEMES.items():
        if scheme in names:
            return known
    raise ValueError(
        f"CELERY_BROKER_URL begins with {scheme!r}; choose redis://, rediss://, sentinel://, amqp://, amqps:// or sqs://."
    )


def is_embedded(url: str) -> bool:
    """Say whether the broker lives and dies with this process."""
    return scheme_of(url) == "memory"


def takes_remote_control(url: str) -> bool:
    """Say whether workers can be asked things through the broker; SQS has no broadcast."""
    return scheme_of(url) in {"redis", "amqp"}


def transport(url: str) -> str | None:
    """Return Celery's ``broker_transport``: the class that speaks to the broker, or ``None`` for the usual one."""
    return "config.sqs:Transport" if scheme_of(url) == "sqs" else None


def transport_options(
    url: str, *, prefix: str, visibility_seconds: int, sqs_queues: Mapping[str, str]
) -> dict[str, Any]:
    """Return Celery's ``broker_transport_options``.

    ``prefix`` keeps the queues apart from others of the same Redis or AWS account (RabbitMQ has virtual hosts, named in
    the address). ``visibility_seconds`` is how long a message may be worked on before Redis or SQS give it to another
    worker too: longer than tasks usually take. A second delivery only costs time: deliveries, runs and sweeps are
    claimed, and versions decide between two projectors. ``sqs_queues`` are addresses of existing queues by lane;
    without them queues are listed and made, for which a worker needs the right.
    """
    scheme = scheme_of(url)
    if scheme == "memory":
        # Looking is cheap, and a wake-up should not wait for the default second.
        return {"polling_interval": _EMBEDDED_POLL_SECONDS}
    if scheme == "redis":
        return {**_NO_RETRIES, **_redis(prefix, visibility_seconds)}
    if scheme == "sqs":
        return {**_NO_RETRIES, **_sqs(prefix, visibility_seconds, sqs_queues)}
    return {**_NO_RETRIES, **_RABBITMQ}


def _redis(prefix: str, visibility_seconds: int) -> dict[str, Any]:
    return {
        "global_keyprefix": prefix,
        "visibility_timeout": visibility_seconds,
        "unacked_restore_interval": _RESTORE_SECONDS,
        # Look every time; by default only every tenth look really looks.
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": _RESTORE_LOCK_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "socket_keepalive": True,
    }


def _sqs(prefix: str, visibility_seconds: int, queues: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "queue_name_prefix": prefix,
        "visibility_timeout": visibility_seconds,
        "wait_time_seconds": _LONG_POLL_SECONDS,
        # Also how often a worker with full hands looks whether it may ask again; else it would look all the time.
        "polling_interval": 0.5,
        "client-config": {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": ANSWER_SECONDS,
            "retries": {"total_max_attempts": 1},
        },
    }
    if queues:
        options["predefined_queues"] = {prefix + lane: {"url": url} for lane, url in queues.items()}
    return options


# Durable classic queues, which Celery declares by default, work on every RabbitMQ, one node or many. Quorum queues
# would keep messages whose loss does no harm, and make Celery declare 28 more queues for delays that nobody uses. Where
# a node's loss must not stop the lanes until it is back, a policy of the cluster mirrors them.
# A task that takes longer than the broker's consumer_timeout (30 minutes in RabbitMQ 3.10) costs the worker its
# connection, not the task: https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout
_RABBITMQ: dict[str, Any] = {
    # Each wake-up waits for the broker's word: one that blocks publishers, or hangs, is noticed.
    "confirm_publish": True,
    "write_timeout": ANSWER_SECONDS,
}
