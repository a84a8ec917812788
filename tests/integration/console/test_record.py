from datetime import timedelta

import pytest
from django.test import Client

from crm_events.backends import event_store
from crm_events.domain.identifiers import StreamKey
from crm_events.models import OperatorAction
from crm_events.ports.event_store import ReadRequest, StreamAppend
from tests.builders import TIMESTAMP, a_change, a_new_event, a_snapshot, a_stream, an_id
from tests.integration.console.pages import NOW, RECORDS, a_visitor, an_open_letter, arrive, text_of

pytestmark = pytest.mark.django_db
PAGE = f"{RECORDS}Account/{an_id()}/"


def test_freshness_stands_before_the_document(admin: Client) -> None:
    arrive(a_change("CREATE", {"Name": "Halvorsen Marine AS", "Phone": "+47 22 33 44 55"}))
    page = text_of(admin, PAGE)
    assert page.index("Stored") < page.index("Served") < page.index("Broadcast") < page.index("+47 22 33 44 55")


def test_an_update_names_its_fields_and_their_values(admin: Client) -> None:
    arrive(a_change("CREATE"), a_change("UPDATE", {"Phone": "12345"}, timestamp=TIMESTAMP + 1000))
    (entry, _) = admin.get(PAGE).context["entries"]
    assert (entry.title, entry.fields[0].name, entry.fields[0].value) == ("Update", "Phone", "12345")


def test_a_late_event_stands_where_it_folds_and_says_that_it_is_late(admin: Client) -> None:
    arrive(a_change("CREATE"), a_change("UPDATE", timestamp=TIMESTAMP + 2000))
    arrive(a_change("UPDATE", timestamp=TIMESTAMP + 1000))
    entries = admin.get(PAGE).context["entries"]
    assert [(entry.version, entry.late is not None) for entry in entries] == [(2, False), (3, True), (1, False)]


def test_events_can_be_read_as_they_arrived(admin: Client) -> None:
    arrive(a_change("CREATE"), a_change("UPDATE", timestamp=TIMESTAMP + 2000))
    arrive(a_change("UPDATE", timestamp=TIMESTAMP + 1000))
    entries = admin.get(PAGE, query_params={"order": "arrival"}).context["entries"]
    assert [entry.version for entry in entries] == [3, 2, 1]


def test_a_long_history_is_read_in_pages(admin: Client) -> None:
    arrive(*(a_change("UPDATE", timestamp=TIMESTAMP + n * 1000) for n in range(60)))
    seen, address = [], PAGE
    while True:
        context = admin.get(address).context
        seen += [entry.version for entry in context["entries"]]
        if context["steps"].next is None:
            break
        address = PAGE + context["steps"].next
    assert seen == list(range(60, 0, -1))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("GAP_UPDATE", "something changed but sent no values"),
        ("DELETE", "its last values stay as a tombstone"),
        ("UNDELETE", "The whole record came"),
    ],
)
def test_each_type_of_change_is_put_into_words(admin: Client, kind: str, words: str) -> None:
    arrive(a_change("CREATE"), a_change(kind, timestamp=TIMESTAMP + 1000))
    assert words in admin.get(PAGE).context["entries"][0].sentence


def test_a_row_we_read_ourselves_is_named_so(admin: Client) -> None:
    snapshot = a_snapshot({"Name": "Halvorsen", "Phone": None})
    event_store().append([StreamAppend(a_stream(), [snapshot])], NOW)
    (entry,) = admin.get(PAGE).context["entries"]
    assert (entry.title, entry.source) == ("Snapshot", "backfill")
    assert entry.sentence == "Read from Salesforce: 2 fields of the row."


def test_a_field_that_could_not_be_mapped_says_why(admin: Client) -> None:
    stream = a_stream(1, "Contract")
    arrive(a_change("CREATE", {"StartDate": "31.12.2026"}, stream=stream))
    page = text_of(admin, f"{RECORDS}Contract/{stream.entity_id}/")
    assert "cm-issue" in page
    assert "31.12.2026" in page


def test_a_short_id_leads_to_the_full_one(admin: Client) -> None:
    arrive(a_change("CREATE"))
    assert admin.get(f"{RECORDS}Account/{an_id()[:15]}/")["Location"] == PAGE


@pytest.mark.parametrize("address", [PAGE, f"{RECORDS}Account/nonsense/", f"{RECORDS}No-Name/{an_id()}/"])
def test_a_record_nobody_knows_is_not_found(admin: Client, address: str) -> None:
    assert admin.get(address).status_code == 404


def test_a_raw_event_is_shown_and_sent_exactly_as_it_came(admin: Client) -> None:
    raw = '{"ChangeEventHeader": {"commitNumber": 1795444742617203714}, "Amount": 1.10}'
    event = a_new_event("CREATE")
    exact = type(event)(**{name: getattr(event, name) for name in event.__slots__} | {"raw": raw})
    event_store().append([StreamAppend(a_stream(), [exact])], NOW)
    page = f"{PAGE}events/{TIMESTAMP}/1/"
    assert "1795444742617203714" in text_of(admin, page)
    sent = admin.get(f"{page}raw/")
    assert sent.content.decode() == raw
    assert sent["Content-Disposition"] == f'attachment; filename="Account-{an_id()}-v1.json"'


@pytest.mark.parametrize("event", [f"{TIMESTAMP}/2/", f"{TIMESTAMP + 1}/1/", f"{TIMESTAMP}/2/raw/"])
def test_an_event_that_is_not_there_is_not_found(admin: Client, event: str) -> None:
    arrive(a_change("CREATE"))
    assert admin.get(f"{PAGE}events/{event}").status_code == 404


def test_values_are_never_taken_for_html(admin: Client) -> None:
    arrive(a_change("CREATE", {"Name": "<script>alert(1)</script>"}))
    for address in (PAGE, f"{PAGE}events/{TIMESTAMP}/1/", RECORDS, f"{RECORDS}documents/"):
        assert "<script>alert" not in text_of(admin, address)


def test_dead_letters_about_either_form_of_the_id_are_counted(admin: Client) -> None:
    arrive(a_change("CREATE"))
    letter = an_open_letter()
    letter.record = an_id()[:15]
    letter.save()
    assert "1 open, 0 closed" in text_of(admin, PAGE)


def test_a_blocked_record_without_an_open_letter_can_be_projected_again() -> None:
    stream = _blocked()
    visitor = a_visitor("crm_events.view_record", "crm_events.retry_deadletter")
    assert "Next: project it again." in text_of(visitor, PAGE)
    visitor.post(f"{PAGE}release/")
    assert event_store().heads([stream])[stream].blocked is False
    assert OperatorAction.objects.get().target == str(stream)


@pytest.mark.parametrize("method", ["get", "post"])
def test_projecting_again_needs_the_right_and_a_post(method: str) -> None:
    stream = _blocked()
    visitor = a_visitor("crm_events.view_record")
    assert getattr(visitor, method)(f"{PAGE}release/").status_code == {"get": 405, "post": 403}[method]
    assert event_store().heads([stream])[stream].blocked is True


def test_a_version_on_its_way_is_said_so(admin: Client) -> None:
    event_store().append([StreamAppend(a_stream(), [a_new_event("CREATE")])], NOW - timedelta(minutes=3))
    page = text_of(admin, PAGE)
    assert "Version 1 is on its way to readers." in page
    assert "No document yet." in page
    assert len(event_store().read([ReadRequest(a_stream())])[a_stream()]) == 1


def _blocked() -> StreamKey:
    arrive(a_change("CREATE"))
    event_store().set_blocked([a_stream()], blocked=True)
    return a_stream()
