"""What operators do with dead letters."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_events.domain.identifiers import StreamKey
from crm_events.models import DeadLetter, OperatorAction
from crm_events.ports.dead_letters import StreamFailure
from crm_events.ports.event_store import AppendResult, EventStore, EventStoreUnavailableError, StreamAppend
from crm_events.services import retries
from crm_events.services.actions import Operator
from crm_events.services.dead_letters import OperationalDeadLetters
from crm_events.services.retries import DeadLetterDesk, RetryResult
from tests.builders import ORG_ID, a_change, a_new_event, a_stream, an_id
from tests.engines.defaults import DefaultEventStore
from tests.integration.crm_events.delivering import NOW, a_processor, deliver, letters, log_of, process

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
OPERATOR = Operator("ada", "the org was added")
OTHER_ORG = "00D000000000001"


def a_desk(store: EventStore | None = None, allowed_orgs: Collection[str] = ()) -> DeadLetterDesk:
    return DeadLetterDesk(store or DefaultEventStore(), allowed_orgs)


def refuse(*changes: dict[str, Any]) -> list[DeadLetter]:
    """Deliver changes of an org that is not allowed, and return their letters."""
    deliver(*changes)
    process(a_processor(allowed_orgs=[OTHER_ORG]))
    return letters()


def park(stream: StreamKey | None = None) -> list[DeadLetter]:
    """Record an event of a stream that cannot be projected, and return its letter."""
    stream = stream or a_stream()
    DefaultEventStore().append([StreamAppend(stream, [a_new_event(stream=stream)])], NOW)
    OperationalDeadLetters().report_streams([StreamFailure("projection_failed", "no", stream)], NOW)
    DefaultEventStore().set_blocked([stream], blocked=True)
    return list(DeadLetter.objects.filter(record=stream.entity_id))


def actions() -> list[tuple[str, str, str, str]]:
    return list(OperatorAction.objects.order_by("id").values_list("who", "verb", "target", "reason"))


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[StreamKey]:
    """Collect the streams that the projector is asked to look at."""
    found: list[StreamKey] = []
    monkeypatch.setattr(retries, "wake_projector", found.extend)
    return found


class TestRetryOfEvents:
    def test_passes_once_the_cause_is_mended(self, woken: list[StreamKey]) -> None:
        result = a_desk(allowed_orgs=[OTHER_ORG, ORG_ID]).retry(refuse(a_change()), OPERATOR, LATER)
        assert result == RetryResult(passed=1, failed=0, waking=0)
        (letter,) = letters()
        assert (letter.resolution, letter.resolved_at, letter.resolved_by) == ("passed", LATER, "ada")
        assert letter.reason == "the org was added"
        assert (len(log_of()), woken) == (1, [a_stream()])

    def test_appends_as_the_delivery_and_index_it_came_with(self) -> None:
        (letter,) = refuse(a_change())
        a_desk().retry([letter], OPERATOR, LATER)
        event = log_of()[0].event
        assert (event.delivery_id, event.delivery_index) == (letter.delivery_id, letter.delivery_index)

    def test_counts_the_attempt_that_failed_again(self) -> None:
        found = refuse(a_change())
        assert a_desk(allowed_orgs=[OTHER_ORG]).retry(found, OPERATOR, LATER) == RetryResult(0, 1, 0)
        (letter,) = letters()
        assert (letter.attempts, letter.resolved_at, letter.last_failed_at) == (2, None, LATER)
        assert log_of() == []

    def test_lets_some_pass_and_others_fail(self) -> None:
        found = refuse(a_change(), a_change(org=OTHER_ORG), {"hello": "world"})
        result = a_desk().retry(found, OPERATOR, LATER)
        assert (result.passed, result.failed) == (1, 1)

    def test_of_one_bad_record_leaves_the_events_of_the_others_as_they_are(self) -> None:
        deliver(a_change(ids=[an_id(1), "nonsense"]))
        process()
        assert a_desk().retry(letters(), OPERATOR, LATER) == RetryResult(0, 1, 0)
        assert len(log_of()) == 1

    def test_says_so_when_the_kept_text_is_no_json(self) -> None:
        found = refuse(a_change())
        DeadLetter.objects.update(payload="no JSON")
        a_desk().retry(letters(), OPERATOR, LATER)
        assert len(found) == 1
        assert "no single JSON value" in letters()[0].detail

    def test_leaves_closed_ones_alone(self) -> None:
        found = refuse(a_change())
        DeadLetter.objects.update(resolved_at=NOW, resolution="discarded")
        assert a_desk().retry(found, OPERATOR, LATER) == RetryResult(0, 0, 0)
        assert (letters()[0].resolution, letters()[0].resolved_at) == ("discarded", NOW)
        assert (log_of(), actions()) == ([], [])

    def test_changes_nothing_while_the_log_is_down(self) -> None:
        class DownStore(DefaultEventStore):
            def append(self, appends: Sequence[StreamAppend], now: datetime) -> list[AppendResult]:
                raise EventStoreUnavailableError

        found = refuse(a_change())
        with pytest.raises(EventStoreUnavailableError):
            a_desk(DownStore()).retry(found, OPERATOR, LATER)
        assert (letters()[0].resolved_at, letters()[0].attempts) == (None, 1)


class TestRetryOfStreams:
    def test_releases_and_wakes_them(self, woken: list[StreamKey]) -> None:
        assert a_desk().retry(park(), OPERATOR, LATER) == RetryResult(0, 0, 1)
        assert not DefaultEventStore().heads([a_stream()])[a_stream()].blocked
        assert woken == [a_stream()]

    def test_leaves_the_letter_open_for_the_projector(self) -> None:
        a_desk().retry(park(), OPERATOR, LATER)
        assert letters()[0].resolved_at is None


class TestDiscard:
    def test_closes_with_who_when_and_why(self) -> None:
        assert a_desk().discard(refuse(a_change()), OPERATOR, LATER) == 1
        (letter,) = letters()
        assert (letter.resolution, letter.resolved_at, letter.resolved_by) == ("discarded", LATER, "ada")
        assert (letter.reason, letter.payload != "") == ("the org was added", True)

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_needs_a_reason(self, reason: str) -> None:
        found = refuse(a_change())
        with pytest.raises(ValueError, match="reason"):
            a_desk().discard(found, replace(OPERATOR, reason=reason), LATER)
        assert (letters()[0].resolved_at, actions()) == (None, [])

    def test_leaves_closed_ones_alone(self) -> None:
        found = refuse(a_change())
        DeadLetter.objects.update(resolved_at=NOW, resolution="passed")
        assert a_desk().discard(found, OPERATOR, LATER) == 0
        assert (letters()[0].resolution, actions()) == ("passed", [])

    def test_keeps_a_record_parked(self) -> None:
        a_desk().discard(park(), OPERATOR, LATER)
        assert DefaultEventStore().heads([a_stream()])[a_stream()].blocked


class TestAudit:
    def test_names_who_did_what_to_which_letter_and_why(self) -> None:
        found = [*refuse(a_change()), *park()]
        a_desk().retry(found, OPERATOR, LATER)
        targets = [f"dead letter {letter.pk}" for letter in found]
        assert actions() == [("ada", "retry dead letter", target, "the org was added") for target in targets]
        assert {action.at for action in OperatorAction.objects.all()} == {LATER}

    def test_says_which_kind_of_failure_it_was(self) -> None:
        a_desk().discard(refuse(a_change()), OPERATOR, LATER)
        assert OperatorAction.objects.get().facts == {"code": "org_not_allowed"}

    def test_is_written_although_an_engine_fails_half_way(self) -> None:
        class HalfDownStore(DefaultEventStore):
            def set_blocked(self, streams: Sequence[StreamKey], blocked: bool) -> None:
                raise EventStoreUnavailableError

        found = refuse(a_change())
        with pytest.raises(EventStoreUnavailableError):
            a_desk(HalfDownStore()).retry([*found, *park(a_stream(2))], OPERATOR, LATER)
        assert letters()[-1].resolution == "passed"
        assert f"dead letter {found[0].pk}" in [target for _, _, target, _ in actions()]
