from collections.abc import Callable

import pytest
from celery import current_app
from kombu.exceptions import OperationalError

from crm_events.running.sending import Sender


class Broker:
    """Takes tasks, or fails as many times as it was told, each time after so many seconds; has the clock as well."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.asked = 0
        self.failures = 0
        self.failing_takes = 0.0
        self.while_asked: Callable[[], object] = lambda: None

    def send_task(self, *_: object, **__: object) -> None:
        self.asked += 1
        self.while_asked()
        if self.failures:
            self.failures -= 1
            self.now += self.failing_takes
            raise OperationalError("connection refused")


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(current_app, "send_task", made.send_task)
    return made


@pytest.fixture
def sender(broker: Broker) -> Sender:
    return Sender(clock=lambda: broker.now)


def test_says_that_the_broker_took_it(sender: Sender) -> None:
    assert sender.send("a task", [])


def test_may_be_lost_with_the_broker(broker: Broker, sender: Sender) -> None:
    broker.failures = 2
    assert not sender.send("a task", [])


def test_may_be_lost_whatever_a_broker_s_client_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("a queue")

    monkeypatch.setattr(current_app, "send_task", fail)
    assert not Sender().send("a task", [])


def test_survives_a_kept_connection_that_died(broker: Broker, sender: Sender) -> None:
    broker.failures = 1
    assert sender.send("a task", [])
    assert broker.asked == 2


def test_is_not_tried_twice_when_the_first_try_took_long(broker: Broker, sender: Sender) -> None:
    broker.failures, broker.failing_takes = 1, 3.0
    assert not sender.send("a task", [])
    assert broker.asked == 1


def test_leaves_a_broker_alone_that_just_failed(broker: Broker, sender: Sender) -> None:
    broker.failures = 2
    sender.send("a task", [])
    broker.now += 4.9
    assert not sender.send("a task", [])
    assert broker.asked == 2


def test_goes_out_again_after_a_rest(broker: Broker, sender: Sender) -> None:
    broker.failures = 2
    sender.send("a task", [])
    broker.now += 5.1
    assert [sender.send("a task", []), sender.send("a task", [])] == [True, True]


def test_lets_one_alone_try_after_the_rest(broker: Broker, sender: Sender) -> None:
    broker.failures = 2
    sender.send("a task", [])
    broker.now += 5.1
    meanwhile: list[bool] = []

    def send_beside() -> None:
        broker.while_asked = lambda: None
        meanwhile.append(sender.send("a task", []))

    broker.while_asked = send_beside
    assert sender.send("a task", [])
    assert meanwhile == [False]
