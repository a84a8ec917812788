import re
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from crm_events.cdc import BodyError
from crm_events.models import Delivery
from crm_events.services import inbox
from tests.builders import a_body, a_change
from tests.integration.crm_events.delivering import NOW, deliver

pytestmark = pytest.mark.django_db
SKIPS_LOCKED = connection.features.has_select_for_update_skip_locked


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def the_delivery() -> Delivery:
    return Delivery.objects.get()


def claimed_ids(found: Iterable[Delivery]) -> list[str]:
    return [delivery.id for delivery in found]


class TestAccept:
    def test_stores_the_body_as_it_came(self) -> None:
        body = '[ {"Rate": 1.50, "Number": 1791271236617203714, "City": "Malmö \\u00f6"},\n{} ]'
        accepted = inbox.accept(body.encode(), "a sender", NOW)
        stored = Delivery.objects.get(pk=accepted.id)
        assert (stored.body, stored.item_count, accepted.received) == (body, 2, 2)
        assert (stored.status, stored.attempts, stored.key_name, stored.received_at) == ("accepted", 0, "a sender", NOW)

    def test_gives_ids_that_sort_by_time(self) -> None:
        ids = [deliver(a_change(), now=NOW + seconds(number)) for number in range(3)]
        assert ids == sorted(ids)
        assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)

    def test_gives_no_id_twice_within_a_millisecond(self) -> None:
        assert len({inbox.new_delivery_id(NOW) for _ in range(100)}) == 100

    @pytest.mark.parametrize("body", [b"", b"12", b"{", b"\xff", b'{"a": "\\ud800"}'])
    def test_stores_nothing_of_a_body_it_refuses(self, body: bytes) -> None:
        with pytest.raises(BodyError):
            inbox.accept(body, "a sender", NOW)
        assert not Delivery.objects.exists()

    def test_takes_an_empty_array(self) -> None:
        assert inbox.accept(b"[]", "a sender", NOW).received == 0


class TestClaim:
    def test_counts_the_attempt_before_any_work(self) -> None:
        deliver(a_change())
        (claimed,) = inbox.claim(10, NOW)
        assert claimed.attempts == the_delivery().attempts == 1

    def test_takes_the_oldest_first_and_no_more_than_asked_for(self) -> None:
        ids = [deliver(a_change(), now=NOW + seconds(number)) for number in (2, 0, 1)]
        assert claimed_ids(inbox.claim(2, NOW)) == sorted(ids)[:2]

    def test_leaves_alone_what_somebody_works_on(self) -> None:
        deliver(a_change())
        inbox.claim(10, NOW)
        assert inbox.claim(10, NOW + inbox.CLAIM_FOR) == []

    def test_takes_over_when_the_claim_is_over(self) -> None:
        deliver(a_change())
        inbox.claim(10, NOW)
        (again,) = inbox.claim(10, NOW + inbox.CLAIM_FOR + seconds(1))
        assert again.attempts == 2

    def test_takes_failed_ones_one_at_a_time(self) -> None:
        """One of them may have killed its worker, and must spend its own attempts only."""
        for _ in range(3):
            deliver(a_change())
        inbox.claim(10, NOW)
        later = NOW + inbox.CLAIM_FOR + seconds(1)
        assert [len(inbox.claim(10, later)) for _ in range(4)] == [1, 1, 1, 0]

    def test_takes_new_ones_before_failed_ones(self) -> None:
        failed = deliver(a_change())
        inbox.claim(10, NOW)
        new = deliver(a_change())
        later = NOW + inbox.CLAIM_FOR + seconds(1)
        assert [claimed_ids(inbox.claim(10, later)) for _ in range(2)] == [[new], [failed]]

    def test_takes_failed_ones_first_when_asked(self) -> None:
        failed = deliver(a_change())
        inbox.claim(10, NOW)
        new = deliver(a_change())
        later = NOW + inbox.CLAIM_FOR + seconds(1)
        assert [claimed_ids(inbox.claim(10, later, failed_first=True)) for _ in range(2)] == [[failed], [new]]

    def test_takes_few_large_ones_at_once(self) -> None:
        large = a_body(*[a_change()] * (inbox.ITEMS_PER_CLAIM // 2 + 1))
        for _ in range(3):
            inbox.accept(large, "a sender", NOW)
        assert [len(inbox.claim(10, NOW)) for _ in range(3)] == [1, 1, 1]

    def test_passes_over_finished_ones(self) -> None:
        deliver(a_change())
        Delivery.objects.update(status=Delivery.Status.RECORDED)
        assert inbox.claim(10, NOW) == []


@pytest.mark.django_db(transaction=True)
class TestRacingClaimers:
    def test_never_share_a_delivery(self) -> None:
        for _ in range(60):
            deliver(a_change())
        barrier = Barrier(4)

        def claim_all(_: int) -> list[str]:
            barrier.wait()
            return [one for _ in range(15) for one in claimed_ids(inbox.claim(5, NOW))]

        claimed = [one for part in _in_threads(claim_all, 4) for one in part]
        assert len(claimed) == len(set(claimed))
        assert set(claimed) == set(Delivery.objects.values_list("id", flat=True))

    @pytest.mark.skipif(SKIPS_LOCKED, reason="no claimer sees what another one is claiming")
    def test_see_the_same_rows_and_get_them_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both have read the list of free deliveries before either of them changes a row."""
        for _ in range(5):
            deliver(a_change())
        barrier = Barrier(2, timeout=10)
        token_hex = secrets.token_hex

        def met(size: int) -> str:
            barrier.wait()
            return token_hex(size)

        monkeypatch.setattr(secrets, "token_hex", met)
        claimed = _in_threads(lambda _: claimed_ids(inbox.claim(5, NOW)), 2)
        assert sorted(len(part) for part in claimed) == [0, 5]

    @pytest.mark.skipif(not SKIPS_LOCKED, reason="SQLite has one writer at a time")
    def test_do_not_wait_for_one_another(self) -> None:
        """The first has not committed its claim yet."""
        ids = [deliver(a_change(), now=NOW + seconds(number)) for number in range(5)]
        with transaction.atomic():
            first = claimed_ids(inbox.claim(3, NOW))
            (second,) = _in_threads(_claim_without_waiting, 1)
        assert (first, second) == (ids[:3], ids[3:])


def _claim_without_waiting(_: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    return claimed_ids(inbox.claim(5, NOW))


class TestGiveBack:
    def test_does_not_count_as_an_attempt(self) -> None:
        deliver(a_change())
        inbox.give_back(inbox.claim(10, NOW), NOW, "the log is down")
        assert (the_delivery().attempts, the_delivery().last_error) == (0, "the log is down")

    def test_waits_a_moment(self) -> None:
        deliver(a_change())
        inbox.give_back(inbox.claim(10, NOW), NOW, "the log is down")
        assert inbox.claim(10, NOW) == []
        assert len(inbox.claim(10, NOW + seconds(3))) == 1

    def test_leaves_alone_what_somebody_else_has_by_now(self) -> None:
        deliver(a_change())
        old = inbox.claim(10, NOW)
        later = NOW + inbox.CLAIM_FOR + seconds(1)
        inbox.claim(10, later)
        inbox.give_back(old, later, "the log is down")
        assert (the_delivery().attempts, inbox.claim(10, later + seconds(3))) == (2, [])

    def test_leaves_alone_what_failed_on_its_own(self) -> None:
        deliver(a_change())
        claimed = inbox.claim(10, NOW)
        inbox.postpone(claimed[0], NOW, "ValueError: no")
        inbox.give_back(claimed, NOW, "the log is down")
        assert (the_delivery().attempts, the_delivery().last_error) == (1, "ValueError: no")


class TestPostpone:
    def test_waits_longer_each_time(self) -> None:
        deliver(a_change())
        moment, waits = NOW, []
        for _ in range(8):
            (claimed,) = inbox.claim(1, moment)
            inbox.postpone(claimed, moment, "ValueError: no")
            waits.append((until() - moment).total_seconds())
            moment = until() + seconds(0.001)
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]

    def test_keeps_the_error(self) -> None:
        deliver(a_change())
        inbox.postpone(inbox.claim(1, NOW)[0], NOW, "ValueError: no")
        assert the_delivery().last_error == "ValueError: no"

    def test_keeps_an_error_that_no_database_takes(self) -> None:
        deliver(a_change())
        inbox.postpone(inbox.claim(1, NOW)[0], NOW, "ValueError: \x00 \ud800")
        assert the_delivery().last_error == "ValueError: � �"

    def test_leaves_alone_what_somebody_else_has_by_now(self) -> None:
        deliver(a_change())
        (old,) = inbox.claim(1, NOW)
        later = NOW + inbox.CLAIM_FOR + seconds(1)
        inbox.claim(1, later)
        inbox.postpone(old, later, "ValueError: no")
        assert the_delivery().last_error == ""


def until() -> datetime:
    found = the_delivery().claimed_until
    assert found is not None
    return found


class TestReleaseClaims:
    def test_frees_what_a_dead_worker_had(self) -> None:
        deliver(a_change())
        inbox.claim(10, NOW)
        assert inbox.release_claims() == 1
        assert len(inbox.claim(10, NOW)) == 1

    def test_keeps_the_attempts(self) -> None:
        """Who kills every worker must run out of attempts, restarts or not."""
        deliver(a_change())
        inbox.claim(10, NOW)
        inbox.release_claims()
        assert the_delivery().attempts == 1

    def test_touches_no_other(self) -> None:
        deliver(a_change())
        assert inbox.release_claims() == 0


class TestRemoveFinished:
    @pytest.fixture
    def make(self) -> Callable[[str, float], str]:
        def made(status: str, days: float) -> str:
            delivery = deliver(a_change())
            Delivery.objects.filter(pk=delivery).update(status=status, recorded_at=NOW - timedelta(days=days))
            return delivery

        return made

    def test_removes_old_finished_ones_only(self, make: Callable[[str, float], str]) -> None:
        make("recorded", 15)
        kept = {make("recorded", 13), make("accepted", 15)}
        assert inbox.remove_finished(NOW - timedelta(days=14)) == 1
        assert set(Delivery.objects.values_list("id", flat=True)) == kept

    def test_removes_the_oldest_first_up_to_its_limit(self, make: Callable[[str, float], str]) -> None:
        ids = [make("recorded", days) for days in (16, 20, 18)]
        assert inbox.remove_finished(NOW - timedelta(days=14), limit=2) == 2
        assert list(Delivery.objects.values_list("id", flat=True)) == [ids[0]]


def _in_threads(work: Callable[[int], list[str]], count: int) -> list[list[str]]:
    def closing(number: int) -> list[str]:
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(closing, range(count)))
