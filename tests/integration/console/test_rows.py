import pytest
from django.test import Client

from crm_events.backends import event_store
from crm_events.models import Delivery, Notice, OperatorAction
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.services.actions import Operator, record_action
from tests.builders import a_change, an_id
from tests.integration.console.pages import NOW, arrive, text_of

DELIVERIES = "/admin/crm_events/delivery/"
NOTICES = "/admin/crm_events/notice/"
AUDIT = "/admin/crm_events/operatoraction/"


@pytest.mark.parametrize("address", [DELIVERIES, NOTICES, AUDIT])
def test_an_empty_list_says_why(admin: Client, address: str) -> None:
    assert "cm-empty" in text_of(admin, address)


def test_a_delivery_shows_what_became_of_each_item(admin: Client) -> None:
    delivery = arrive(a_change("CREATE"), a_change("TRANSFER"))
    page = text_of(admin, f"{DELIVERIES}{delivery}/change/")
    assert f'href="/admin/crm_events/record/Account/{an_id()}/"' in page
    for words in ("Served", "Recorded", "Unreadable", "“TRANSFER” is no type of change"):
        assert words in page


def test_a_waiting_delivery_says_so(admin: Client) -> None:
    delivery = arrive(a_change("CREATE"))
    Delivery.objects.update(status="accepted", outcomes=[])
    assert "Not in the log yet." in text_of(admin, f"{DELIVERIES}{delivery}/change/")


def test_a_body_is_sent_exactly_as_it_came(admin: Client) -> None:
    delivery = arrive(a_change("CREATE"))
    sent = admin.get(f"{DELIVERIES}{delivery}/body/")
    assert sent.content.decode() == Delivery.objects.get().body


def test_a_large_body_is_cut_on_the_page(admin: Client) -> None:
    delivery = arrive(a_change("CREATE", {"Description": "x" * 250_000}))
    page = text_of(admin, f"{DELIVERIES}{delivery}/change/")
    assert "Only the beginning is shown." in page
    assert len(page) < 250_000


def test_a_delivery_is_shown_without_the_log(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EventStoreUnavailableError

    delivery = arrive(a_change("CREATE"))
    monkeypatch.setattr(event_store(), "heads", refuse)
    page = text_of(admin, f"{DELIVERIES}{delivery}/change/")
    assert "The event store does not answer." in page
    assert "Recorded" in page


@pytest.mark.parametrize(
    ("query", "found"), [({"status": "recorded"}, 1), ({"status": "accepted"}, 0), ({"q": "zz"}, 0)]
)
def test_deliveries_are_filtered(admin: Client, query: dict[str, str], found: int) -> None:
    arrive(a_change("CREATE"))
    assert len(admin.get(DELIVERIES, query_params=query).context["page"].rows) == found


def test_a_list_costs_the_same_however_many_rows_there_are(
    admin: Client, django_assert_max_num_queries: object
) -> None:
    for _ in range(3):
        arrive(a_change("CREATE"))
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        admin.get(DELIVERIES)


def test_a_notice_says_what_it_asks_for(admin: Client) -> None:
    arrive(a_change("GAP_OVERFLOW", ids=["000000000000000AAA"]))
    assert "Needs re-read" in text_of(admin, NOTICES)
    page = text_of(admin, f"{NOTICES}{Notice.objects.get().pk}/change/")
    assert "have all records of Account read again" in page


def test_notices_are_filtered_by_whether_they_were_answered(admin: Client) -> None:
    arrive(a_change("GAP_OVERFLOW", ids=["000000000000000AAA"]))
    found = {state: len(admin.get(NOTICES, {"state": state}).context["page"].rows) for state in ("open", "answered")}
    assert found == {"open": 1, "answered": 0}


def test_the_audit_is_searched_by_words(admin: Client) -> None:
    record_action(Operator("mara", "Ticket 48213"), "start replay", "Account", NOW)
    record_action(Operator("tomas"), "revoke API key", "reporting-old", NOW)
    rows = admin.get(AUDIT, query_params={"q": "replay 48213"}).context["page"].rows
    assert [row.who for row in rows] == ["mara"]


def test_an_action_shows_its_facts(admin: Client) -> None:
    record_action(Operator("mara"), "start replay", "Account", NOW, {"records": 1204})
    page = text_of(admin, f"{AUDIT}{OperatorAction.objects.get().pk}/change/")
    assert "Records" in page
    assert "1204" in page


@pytest.mark.parametrize("token", ["nonsense", "bm9uc2Vuc2U=", "WyIxIiwgIjIiXQ==", "W251bGxd", "é"])
def test_a_token_of_no_page_shows_the_first_one(admin: Client, token: str) -> None:
    arrive(a_change("CREATE"))
    assert len(admin.get(DELIVERIES, query_params={"older": token}).context["page"].rows) == 1
