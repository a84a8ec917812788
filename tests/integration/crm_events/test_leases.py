from datetime import timedelta

import pytest

from crm_events.services.leases import OperationalLeases, release_leases
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db
LEASES = OperationalLeases()
MINUTE = timedelta(minutes=1)


def take(moment: timedelta = timedelta(0), name: str = "sweep") -> str | None:
    return LEASES.take(name, MINUTE, NOW + moment)


def test_is_held_by_one_at_a_time() -> None:
    assert [take() is None, take(MINUTE / 2) is None] == [False, True]


def test_is_free_again_when_its_time_is_over() -> None:
    take()
    assert take(MINUTE) is not None


def test_is_free_again_when_given_back() -> None:
    token = take()
    assert token is not None
    LEASES.give_back("sweep", token, NOW)
    assert take() is not None


def test_cannot_be_given_back_by_who_lost_it() -> None:
    old = take()
    assert old is not None
    take(MINUTE)
    LEASES.give_back("sweep", old, NOW + MINUTE)
    assert take(MINUTE) is None


def test_stands_apart_from_those_of_other_names() -> None:
    take()
    assert take(name="other") is not None


def test_is_free_again_when_its_process_is_known_to_be_dead() -> None:
    take()
    release_leases(NOW)
    assert take() is not None
