from datetime import timedelta

from crm_events.demo.changes import Record, Transaction
from tests.unit.crm_events.demo.reading import NOW

USER = "005Qy000001HbZpIAK"


def a_transaction(user: str = USER) -> Transaction:
    return Transaction(NOW, "key", user, "")


def a_record(number: int = 1) -> Record:
    """Return a record that one user created an hour ago."""
    record = Record("Account", f"record-{number}", {"Phone": "1", "BillingAddress": {"City": "Lund", "Street": "A 1"}})
    earlier = Transaction(NOW - timedelta(hours=1), "earlier", USER, "")
    return earlier.create(record)


def test_creates_a_record_with_its_system_fields() -> None:
    tx = a_transaction()
    tx.create(Record("Account", "record-1", {"Phone": "1"}))
    system = {"CreatedDate": NOW, "CreatedById": USER, "LastModifiedDate": NOW, "LastModifiedById": USER}
    assert tx.changes[0].fields == {"OwnerId": USER, "Phone": "1", **system}


def test_imports_a_record_with_the_time_it_was_created_elsewhere() -> None:
    tx = a_transaction()
    tx.create(Record("Account", "record-1", {}), created_at=NOW - timedelta(days=400))
    assert tx.changes[0].fields["CreatedDate"] == NOW - timedelta(days=400)


def test_changes_a_component_without_naming_its_siblings() -> None:
    tx, record = a_transaction(), a_record()
    tx.update([record], {"BillingAddress.City": "Visby"})
    assert tx.changes[0].fields == {"BillingAddress": {"City": "Visby"}, "LastModifiedDate": NOW}
    assert tx.changes[0].changed == ("BillingAddress.City", "LastModifiedDate")
    assert record.fields["BillingAddress"] == {"City": "Visby", "Street": "A 1"}


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
    assert [record.fields["Phone"] for record in records] == ["2", "2"]


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
    tx.update([record], {"BillingAddress.City": "Visby"})
    assert tx.changes[0].fields["BillingAddress"]["City"] == "Lund"
