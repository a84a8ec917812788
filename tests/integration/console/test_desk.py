import pytest

from crm_events.entry import dead_letter_desk
from crm_events.models import DeadLetter, OperatorAction
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.services.actions import Operator
from tests.integration.console.pages import NOW, an_open_letter

pytestmark = pytest.mark.django_db
MARA = Operator("mara", "Agreed with Sofia.")
TOMAS = Operator("tomas")


def test_the_audit_names_only_letters_that_the_act_closed() -> None:
    letter = an_open_letter()
    assert dead_letter_desk().discard([letter], MARA, NOW) == 1
    assert dead_letter_desk().discard([letter], Operator("tomas", "Me too, I think."), NOW) == 0
    assert [action.who for action in OperatorAction.objects.all()] == ["mara"]


def test_a_retry_leaves_a_letter_alone_that_somebody_discarded_meanwhile() -> None:
    letter = _mended(an_open_letter())
    dead_letter_desk().discard([letter], MARA, NOW)
    dead_letter_desk().retry([letter], TOMAS, NOW)
    letter.refresh_from_db()
    assert (letter.resolution, letter.resolved_by) == ("discarded", "mara")


def test_a_retry_that_dies_half_way_is_in_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EventStoreUnavailableError

    monkeypatch.setattr("crm_events.services.retries.append_events", refuse)
    with pytest.raises(EventStoreUnavailableError):
        dead_letter_desk().retry([an_open_letter()], TOMAS, NOW)
    assert OperatorAction.objects.get().who == "tomas"


def test_another_cause_takes_the_place_of_the_first() -> None:
    letter = an_open_letter()
    before = letter.fingerprint
    letter.payload = letter.payload.replace('"ChangeEventHeader"', '"Header"')
    letter.save()
    dead_letter_desk().retry([letter], TOMAS, NOW)
    letter.refresh_from_db()
    assert letter.code == "no_header"
    assert letter.fingerprint != before


def _mended(letter: DeadLetter) -> DeadLetter:
    letter.payload = letter.payload.replace("TRANSFER", "CREATE")
    letter.save()
    return letter
