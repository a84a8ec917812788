import pytest
from django.test import Client

from crm_events.backends import event_store
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_projections.backends import read_model
from crm_projections.ports.read_model import ReadModelUnavailableError
from tests.builders import TIMESTAMP, a_change, a_stream, an_id
from tests.integration.console.pages import RECORDS, arrive, text_of


def test_an_empty_log_says_what_to_do(admin: Client) -> None:
    page = text_of(admin, RECORDS)
    assert "No record yet." in page
    assert "Next:" in page


def test_a_record_is_listed_with_name_version_and_state(admin: Client) -> None:
    arrive(a_change("CREATE", {"Name": "Halvorsen Marine AS"}))
    page = text_of(admin, RECORDS)
    for words in ("Halvorsen Marine AS", an_id(), "Current", '<span class="cm-tag">client</span>'):
        assert words in page


def test_a_gap_shows_that_a_record_needs_a_re_read(admin: Client) -> None:
    arrive(a_change("CREATE"), a_change("GAP_UPDATE", timestamp=TIMESTAMP + 1000))
    assert "Needs re-read" in text_of(admin, RECORDS).partition("<tbody>")[2]


def test_a_record_first_met_by_an_update_is_incomplete(admin: Client) -> None:
    arrive(a_change("UPDATE"))
    assert "Incomplete" in text_of(admin, RECORDS)


def test_an_object_without_mapping_is_listed_too(admin: Client) -> None:
    arrive(a_change("CREATE", stream=a_stream(1, "Asset__c")))
    page = text_of(admin, RECORDS)
    assert "No mapping" in page
    assert "Asset__c" in page


def test_next_and_back_walk_through_every_record_once(admin: Client) -> None:
    arrive(*(a_change("CREATE", stream=a_stream(n)) for n in range(1, 121)))
    seen, forwards = [], ""
    while True:
        response = admin.get(RECORDS + forwards)
        seen += [row.stream.entity_id for row in response.context["rows"]]
        if response.context["steps"].next is None:
            break
        forwards = response.context["steps"].next
    assert seen == sorted(an_id(n) for n in range(1, 121))
    backwards = admin.get(RECORDS + response.context["steps"].back)
    assert [row.stream.entity_id for row in backwards.context["rows"]] == seen[50:100]
    first = admin.get(RECORDS + backwards.context["steps"].back)
    assert [row.stream.entity_id for row in first.context["rows"]] == seen[:50]
    assert first.context["steps"].back is None


def test_a_cursor_of_no_page_shows_the_first_one(admin: Client) -> None:
    arrive(a_change("CREATE"))
    assert an_id() in text_of(admin, RECORDS, cursor="nonsense")


@pytest.mark.parametrize("wanted", [an_id(), an_id()[:15], f"Account#{an_id()}"])
def test_an_id_leads_to_its_record(admin: Client, wanted: str) -> None:
    arrive(a_change("CREATE"))
    response = admin.get(RECORDS, query_params={"q": wanted})
    assert response["Location"] == f"{RECORDS}Account/{an_id()}/"


def test_an_id_nobody_knows_says_so(admin: Client) -> None:
    assert "No record has the id" in text_of(admin, RECORDS, q=an_id(7))


def test_words_lead_to_the_documents(admin: Client) -> None:
    response = admin.get(RECORDS, query_params={"q": "halvorsen marine"})
    assert response["Location"] == f"{RECORDS}documents/?q=halvorsen+marine"


@pytest.mark.parametrize(
    ("state", "words"), [("pending", "No record is pending."), ("blocked", "No record is blocked.")]
)
def test_a_state_nobody_is_in_is_good_news(admin: Client, state: str, words: str) -> None:
    arrive(a_change("CREATE"))
    assert words in text_of(admin, RECORDS, state=state)


def test_blocked_records_of_all_objects_are_listed_together(admin: Client) -> None:
    arrive(a_change("CREATE"), a_change("CREATE", stream=a_stream(2, "Contact")))
    event_store().set_blocked([a_stream(2, "Contact")], blocked=True)
    response = admin.get(RECORDS, query_params={"state": "blocked"})
    assert [row.stream for row in response.context["rows"]] == [a_stream(2, "Contact")]


def test_a_log_that_does_not_answer_is_said_in_words(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> list[str]:
        raise EventStoreUnavailableError

    monkeypatch.setattr(event_store(), "entity_names", refuse)
    response = admin.get(RECORDS)
    assert response.status_code == 503
    assert "The event store does not answer" in response.content.decode()


def test_without_the_read_model_records_are_still_listed(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(a_change("CREATE"))

    def refuse(*_: object) -> None:
        raise ReadModelUnavailableError

    monkeypatch.setattr(read_model(), "get_many", refuse)
    page = text_of(admin, RECORDS)
    assert an_id() in page
    assert "The read model does not answer" in page


def test_documents_are_searched_in_all_entities_at_once(admin: Client) -> None:
    arrive(
        a_change("CREATE", {"Name": "Halvorsen Marine AS"}),
        a_change("CREATE", {"LastName": "Halvorsen"}, stream=a_stream(2, "Contact")),
        a_change("CREATE", {"Name": "Somebody else"}, stream=a_stream(3)),
    )
    response = admin.get(f"{RECORDS}documents/", query_params={"q": "halv"})
    assert [(row.entity, row.id) for row in response.context["rows"]] == [
        ("client", an_id()),
        ("contact", an_id(2, "Contact")),
    ]


def test_documents_are_walked_in_pages(admin: Client) -> None:
    arrive(*(a_change("CREATE", stream=a_stream(n)) for n in range(1, 61)))
    first = admin.get(f"{RECORDS}documents/", query_params={"entity": "client"})
    second = admin.get(f"{RECORDS}documents/" + first.context["steps"].next)
    seen = [row.id for page in (first, second) for row in page.context["rows"]]
    assert seen == sorted(an_id(n) for n in range(1, 61))
    assert second.context["steps"].next is None
    assert second.context["steps"].back == "?entity=client"


@pytest.mark.parametrize("query", [{"q": "nobody"}, {"entity": "lead"}, {"cursor": "bm9uc2Vuc2U="}])
def test_no_document_says_why(admin: Client, query: dict[str, str]) -> None:
    assert "cm-empty" in text_of(admin, f"{RECORDS}documents/", **query)
