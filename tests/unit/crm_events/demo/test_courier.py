from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from crm_events.demo.changes import Change
from crm_events.demo.courier import Courier
from tests.unit.crm_events.demo.reading import NOW, parsed


class Chance(Random):
    """Answers ``random`` from a list, and with one half after that: neither held back nor repeated."""

    def __init__(self, *answers: float) -> None:
        super().__init__(1)
        self._answers: Iterator[float] = iter(answers)

    def random(self) -> float:
        return next(self._answers, 0.5)


# Shape of the envelope, then whether the event is held back, then whether it is repeated.
HELD = (0.5, 0.0)
REPEATED = (0.5, 0.5, 0.5, 0.0)  # the first but one is how long the delivery took


def a_courier(*answers: float, patience: int = 5, spoil_every: int = 1_000) -> Courier:
    return Courier(Chance(*answers), patience, spoil_every)


def changes(number: int, record: str = "001Qy00000KdT1aIAF") -> list[Change]:
    header: dict[str, Any] = {"sequence": 1, "user": "", "origin": "", "entity": "Account", "change_type": "UPDATE"}
    return [
        Change(
            record_ids=[record],
            committed_at=NOW + timedelta(seconds=second),
            transaction_key=f"key-{second}",
            fields={"Phone": str(second)},
            changed=("Phone",),
            **header,
        )
        for second in range(number)
    ]


def delivered(courier: Courier, sent: list[Change]) -> list[str]:
    return [_phone(event) for change in sent for event in courier.deliver(change)]


def _phone(event: dict[str, Any]) -> str:
    return str(event["detail"]["payload"]["Phone"])


def test_delivers_in_order_as_a_rule() -> None:
    assert delivered(a_courier(), changes(4)) == ["0", "1", "2", "3"]


def test_lets_a_newer_change_of_the_record_overtake_one_held_back() -> None:
    assert delivered(a_courier(0.5, 0.5, 0.0), changes(3)) == ["1", "0", "2"]


def test_delivers_what_was_held_back_once_patience_is_over() -> None:
    courier = a_courier(0.5, 0.5, 0.0, patience=2)
    others = changes(4, record="001Qy00000KdT1bIAF")[1:]
    assert delivered(courier, [*changes(1), *others]) == ["1", "0", "2", "3"]


def test_delivers_at_the_end_whatever_is_still_on_its_way() -> None:
    courier = a_courier(0.5, 0.5, 0.0)
    assert delivered(courier, changes(1)) == []
    assert [_phone(event) for event in courier.flush()] == ["0"]


def test_repeats_an_event_under_a_new_id_of_event_bridge() -> None:
    courier = a_courier(0.5, 0.5, 0.5, 0.0)
    (event,) = courier.deliver(changes(1)[0])
    (again,) = courier.flush()
    assert again["id"] != event["id"]
    assert {**again, "id": ""} == {**event, "id": ""}


def test_adds_what_nobody_can_read_without_losing_a_change() -> None:
    courier = a_courier(spoil_every=1)
    arrived = [parsed(event) for change in changes(4) for event in courier.deliver(change)]
    assert [len(item.events) for item in arrived] == [1, 0] * 4
    assert [failure.code for item in arrived for failure in item.failures] == [
        "no_header",
        "raw_bitmaps",
        "unknown_change_type",
        "bad_record_id",
    ]
