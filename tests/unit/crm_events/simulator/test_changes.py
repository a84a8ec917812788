from datetime import timedelta

from crm_events.simulator.changes import Transaction
from crm_events.simulator.records import Record
from tests.unit.crm_events.simulator.reading import NOW

USER = "005Qy000001HbZpIAK"
NOW_TEXT = "2026-10-06T07:20:09.000Z"


def a_transaction(user: str = USER) -> Transaction:
    return Transaction(NOW, "key", user, "")


def a_record(number: int = 1) -> Record:
    """Return a record that one user created an hour ago."""
    record = Record("Account", f"record-{number}", {"Phone": "1", "BillingAddress": {"City": "Lund", "Street": "A 1"}})
    return Transaction(NOW - timedelta(hours=1), "earlier", USER, "").create(record)


def test_creates_a_record_with_its_system_fields() -> None:
    tx = a_transaction()
    record = tx.create(Record("Account", "record-1", {"Phone": "1"}))
    system = {"CreatedDate": NOW_TEXT, "CreatedById": USER, "LastModifiedDate": NOW_TEXT, "LastModifiedById": USER}
    assert tx.changes[0].fields == {"OwnerId": USER, "Phone": "1", **system}
    assert record.modified_ms == NOW.timestamp() * 1000


def test_creates_a_record_with_every_checkbox_set_or_not() -> None:
    tx = a_transaction()
    tx.create(Record("Lead", "record-1", {"LastName": "Ek"}))
    assert tx.changes[0].fields["IsConverted"] is False


def test_imports_a_record_with_the_time_it_was_created_elsewhere() -> None:
    tx = a_transaction()
    tx.create(Record("Account", "record-1", {}), created_at=NOW - timedelta(days=400))
    assert tx.changes[0].fields["CreatedDate"] == "2025-09-01T07:20:09.000Z"


def test_tells_only_what_differs_and_the_time_of_the_change() -> None:
    tx, record = a_transaction(), a_record()
    tx.update([record], {"BillingCity": "Visby", "Phone": "1"})
    assert tx.changes[0].fields == {"BillingCity": "Visby", "LastModifiedDate": NOW_TEXT}
    assert tx.changes[0].changed == ("BillingCity", "LastModifiedDate")
    assert record.get("BillingStreet") == "A 1"


def test_names_the_user_only_where_it_is_another() -> None:
    tx, record = a_transaction("005Qy000001HbZqIAK"), a_record()
    tx.update([record], {"Phone": "2"})
    tx.update([record], {"Phone": "3"})
    assert ["LastModifiedById" in change.changed for change in tx.changes] == [True, False]


def test_clears_a_field_with_null() -> None:
    tx, record = a_transaction(), a_record()
    tx.update([record], {"Phone": None})
    assert tx.changes[0].fields["Phone"] is None
    assert "Phone" not in record.fields


def test_changes_several_records_in_one_event() -> None:
    tx, records = a_transaction(), [a_record(1), a_record(2)]
    tx.update(records, {"Phone": "2"})
    assert [list(change.record_ids) for change in tx.changes] == [["record-1", "record-2"]]
    assert [record.get("Phone") for record in records] == ["2", "2"]


def test_tells_of_both_halves_of_a_person_account() -> None:
    tx = a_transaction()
    account = tx.create_person(
        Record("Account", "account", {"LastName": "Dahl", "PersonEmail": "a@b.example"}), "contact"
    )
    contact = tx.touched["contact"]
    tx.update_person(contact, account, {"LastName": "Ek", "Title": "Producer"})
    told = [(change.entity, change.change_type) for change in tx.changes]
    assert told == [("Account", "CREATE"), ("Contact", "CREATE"), ("Contact", "UPDATE"), ("Account", "UPDATE")]
    assert (account.get("Name"), account.get("LastName"), contact.get("Email")) == ("Ek", "Ek", "a@b.example")
    assert tx.changes[3].changed == ("LastName", "LastModifiedDate")


def test_sends_both_parts_of_a_custom_location_though_one_changed() -> None:
    tx = a_transaction()
    line = tx.create(Record("Work_Order_Line__c", "line", {"Site__Latitude__s": 1.5, "Site__Longitude__s": 2.5}))
    tx.update([line], {"Site__Latitude__s": 3.5})
    assert tx.changes[1].fields["Site__Longitude__s"] == 2.5


def test_tells_of_locations_one_by_one_where_the_other_part_differs() -> None:
    tx = a_transaction()
    lines = [tx.create(Record("Work_Order_Line__c", f"line-{n}", {"Site__Longitude__s": n})) for n in (1, 2)]
    tx.update(lines, {"Site__Latitude__s": 3.5})
    updates = [change for change in tx.changes if change.change_type == "UPDATE"]
    assert [change.fields["Site__Longitude__s"] for change in updates] == [1, 2]


def test_looks_up_enriched_fields_that_have_a_value() -> None:
    tx = a_transaction()
    tx.update([a_record()], {"Fax": "2"}, enrich=("Phone", "Industry"))
    assert tx.changes[0].enriched == {"Phone": "1"}


def test_numbers_the_changes_of_a_transaction() -> None:
    tx, record = a_transaction(), a_record()
    tx.update([record], {"Phone": "2"})
    tx.delete([record])
    tx.undelete(record)
    assert [(change.sequence, change.change_type) for change in tx.changes] == [
        (1, "UPDATE"),
        (2, "DELETE"),
        (3, "UNDELETE"),
    ]


def test_keeps_what_a_change_said_when_the_record_changes_again() -> None:
    tx, record = a_transaction(), a_record()
    tx.undelete(record)
    tx.update([record], {"BillingCity": "Visby"})
    assert tx.changes[0].fields["BillingCity"] == "Lund"


def test_deletes_without_values() -> None:
    tx, record = a_transaction(), a_record()
    tx.delete([record])
    assert tx.changes[0].fields == {}
    assert (record.is_deleted, record.deleted_in) == (True, "key")


def test_commits_everything_at_the_moment_of_the_commit() -> None:
    tx, record = a_transaction(), a_record()
    tx.delete([record])
    tx.commit_at(NOW + timedelta(minutes=2))
    assert tx.changes[0].commit_timestamp == (NOW + timedelta(minutes=2)).timestamp() * 1000
    assert record.deleted_at_ms == tx.changes[0].committed_ms
    assert record.modified_ms == NOW.timestamp() * 1000


def test_tells_of_a_job_in_the_database_nothing() -> None:
    tx, record = a_transaction(), a_record()
    tx.change_quietly(record, {"Phone": "2"})
    assert tx.changes == []
    assert tx.touched["record-1"].modified_ms == (NOW - timedelta(hours=1)).timestamp() * 1000


def test_leaves_the_values_out_of_a_gap() -> None:
    tx = a_transaction()
    tx.update([a_record()], {"Phone": "2"})
    tx.lose_values()
    assert [(change.change_type, change.fields, change.changed) for change in tx.changes] == [("GAP_UPDATE", {}, ())]


def test_tells_of_an_overflow_once_for_each_object() -> None:
    tx = a_transaction()
    tx.update([a_record(1)], {"Phone": "2"})
    tx.update([a_record(2)], {"Phone": "3"})
    tx.create(Record("Lead", "lead", {"LastName": "Ek"}))
    tx.overflow()
    told = [(change.entity, change.change_type, list(change.record_ids)) for change in tx.changes]
    dummy = ["000000000000000AAA"]
    assert told == [("Account", "GAP_OVERFLOW", dummy), ("Lead", "GAP_OVERFLOW", dummy)]
