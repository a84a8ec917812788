import json

import pytest
from django.test import Client

from crm_events.backends import event_store
from crm_events.domain.identifiers import StreamKey
from crm_events.models import DeadLetter, OperatorAction
from crm_events.ports.dead_letters import StreamFailure
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.services.dead_letters import OperationalDeadLetters
from tests.builders import a_change, a_stream, an_id
from tests.integration.console.pages import LETTERS, NOW, an_open_letter, arrive, text_of

REASON = "Sandbox pointed at production by mistake."


def test_no_open_letter_is_good_news(admin: Client) -> None:
    assert "No open dead letters." in text_of(admin, LETTERS)


def test_a_letter_is_listed_by_its_cause(admin: Client) -> None:
    an_open_letter()
    assert "Unknown change type" in text_of(admin, LETTERS)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 1),
        ({"state": "closed"}, 1),
        ({"state": "all"}, 2),
        ({"code": "unknown_change_type"}, 0),
        ({"state": "all", "code": "unknown_change_type"}, 1),
        ({"kind": "stream"}, 1),
        ({"kind": "event"}, 0),
        ({"entity_name": "Contact"}, 1),
        ({"entity_name": "Lead"}, 0),
        ({"q": an_id(1, "Contact")[:15]}, 1),
        ({"q": an_id(2, "Contact")}, 0),
    ],
)
def test_filters_narrow_the_list(admin: Client, query: dict[str, str], found: int) -> None:
    DeadLetter.objects.filter(pk=an_open_letter().pk).update(resolved_at=NOW, resolution="discarded")
    _a_parked(a_stream(1, "Contact"))
    assert len(admin.get(LETTERS, query_params=query).context["page"].rows) == found


def test_letters_are_read_in_pages_of_fifty(admin: Client) -> None:
    for n in range(60):
        _a_parked(a_stream(n))
    first = admin.get(LETTERS).context["page"]
    second = admin.get(LETTERS, query_params={"older": first.older}).context["page"]
    assert [len(first.rows), len(second.rows), second.older] == [50, 10, None]
    back = admin.get(LETTERS, query_params={"newer": second.newer}).context["page"]
    assert [row.pk for row in back.rows] == [row.pk for row in first.rows]
    assert back.newer is None


def test_a_letter_says_what_is_so_and_what_to_do_next(admin: Client) -> None:
    letter = an_open_letter()
    page = text_of(admin, f"{LETTERS}{letter.pk}/change/")
    assert "“TRANSFER” is no type of change this service knows." in page
    assert "<b>Next:</b> if Salesforce has brought in a new one" in page


def test_the_payload_is_sent_exactly_as_it_came(admin: Client) -> None:
    letter = an_open_letter()
    sent = admin.get(f"{LETTERS}{letter.pk}/payload/")
    assert sent.content.decode() == letter.payload
    assert json.loads(sent.content)["detail"]["payload"]["ChangeEventHeader"]["changeType"] == "TRANSFER"


@pytest.mark.parametrize("address", ["99/change/", "99/payload/", "nonsense/change/"])
def test_a_letter_that_is_not_there_is_not_found(admin: Client, address: str) -> None:
    assert admin.get(LETTERS + address).status_code == 404


@pytest.mark.parametrize("act", ["retry", "discard"])
def test_an_act_is_done_by_post_alone(admin: Client, act: str) -> None:
    assert admin.get(f"{LETTERS}{act}/").status_code == 405


@pytest.mark.parametrize("act", ["retry", "discard"])
def test_an_act_asks_before_it_is_done(admin: Client, act: str) -> None:
    letter = an_open_letter()
    response = admin.post(f"{LETTERS}{act}/", {"letter": letter.pk})
    assert "1 dead letter?" in response.content.decode()
    assert not OperatorAction.objects.exists()


@pytest.mark.parametrize("reason", ["", "    ", "too short"])
def test_discarding_needs_a_reason(admin: Client, reason: str) -> None:
    letter = an_open_letter()
    response = admin.post(f"{LETTERS}discard/", {"letter": letter.pk, "confirmed": "yes", "reason": reason})
    assert response.status_code == 400
    assert "Say in at least 10 characters why" in response.content.decode()
    assert DeadLetter.objects.get().resolved_at is None


def test_discarding_closes_the_letter_and_is_in_the_audit(admin: Client) -> None:
    letter = an_open_letter()
    _confirm(admin, "discard", letter, reason=REASON)
    letter.refresh_from_db()
    assert (letter.resolution, letter.resolved_by, letter.reason) == ("discarded", "mara", REASON)
    action = OperatorAction.objects.get()
    assert (action.who, action.verb, action.target) == ("mara", "discard dead letter", f"dead letter {letter.pk}")
    assert REASON in text_of(admin, "/admin/crm_events/operatoraction/")
    assert REASON in text_of(admin, f"{LETTERS}{letter.pk}/change/")


def test_a_mended_event_passes_when_it_is_retried(admin: Client) -> None:
    letter = an_open_letter()
    letter.payload = letter.payload.replace("TRANSFER", "CREATE")
    letter.save()
    page = _confirm(admin, "retry", letter)
    assert "Retried: 1 passed." in page
    assert event_store().heads([a_stream()])[a_stream()].version == 1
    letter.refresh_from_db()
    assert (letter.resolution, letter.resolved_by) == ("passed", "mara")


def test_an_event_that_fails_again_stays_open(admin: Client) -> None:
    letter = an_open_letter()
    assert "1 failed again and stay open" in _confirm(admin, "retry", letter)
    letter.refresh_from_db()
    assert (letter.resolved_at, letter.attempts) == (None, 2)


def test_a_parked_record_is_released_by_a_retry(admin: Client) -> None:
    arrive(a_change("CREATE"))
    event_store().set_blocked([a_stream()], blocked=True)
    _confirm(admin, "retry", _a_parked(a_stream()))
    assert event_store().heads([a_stream()])[a_stream()].blocked is False


@pytest.mark.parametrize("chosen", [{}, {"letter": "99"}, {"letter": "nonsense"}])
def test_an_act_on_nothing_says_so(admin: Client, chosen: dict[str, str]) -> None:
    response = admin.post(f"{LETTERS}retry/", chosen, follow=True)
    assert "No open dead letter was chosen." in response.content.decode()


def test_a_log_that_does_not_answer_leaves_the_letter_open(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EventStoreUnavailableError

    letter = an_open_letter()
    letter.payload = letter.payload.replace("TRANSFER", "CREATE")
    letter.save()
    monkeypatch.setattr(event_store(), "append", refuse)
    assert "The event store does not answer" in _confirm(admin, "retry", letter)
    letter.refresh_from_db()
    assert letter.resolved_at is None


def _confirm(client: Client, act: str, letter: DeadLetter, reason: str = "") -> str:
    sent = {"letter": letter.pk, "confirmed": "yes", "reason": reason}
    return client.post(f"{LETTERS}{act}/", sent, follow=True).content.decode()


def _a_parked(stream: StreamKey) -> DeadLetter:
    failure = StreamFailure("document_refused", "The read model refused it. Next: retry.", stream)
    OperationalDeadLetters().report_streams([failure], NOW)
    return DeadLetter.objects.latest("id")
