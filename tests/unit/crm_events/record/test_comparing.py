from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.record import RecordState
from crm_events.record.comparing import ColumnDifference, row_differences, same_value

MODSTAMP = "2026-10-06T07:20:00.000Z"
MODSTAMP_MS = 1_791_271_200_000


def a_state(**fields: Any) -> RecordState:
    return RecordState(fields=fields, complete=True, system_modified_ms=MODSTAMP_MS)


@pytest.mark.parametrize(
    ("one", "other", "salesforce_type"),
    [
        (None, "", "string"),
        (10, Decimal("10.0"), "double"),
        (Decimal("1250.50"), Decimal("1250.5"), "currency"),
        ("2026-10-06T07:20:00.000Z", "2026-10-06T07:20:00.000+0000", "datetime"),
        ("2026-10-06T07:20:00Z", "2026-10-06T07:20:00.000+0000", "datetime"),
        (MODSTAMP_MS, "2026-10-06T07:20:00.000+0000", "datetime"),
        (1_719_705_600_000, "2024-06-30", "date"),
    ],
)
def test_takes_two_forms_of_one_value_for_the_same(one: Any, other: Any, salesforce_type: str) -> None:
    assert same_value(one, other, salesforce_type)
    assert same_value(other, one, salesforce_type)


@pytest.mark.parametrize(
    ("one", "other", "salesforce_type"),
    [
        (None, False, "boolean"),
        (0, None, "double"),
        ("10", 10, "string"),
        ("a", "A", "string"),
        ("2026-10-06T07:20:00.000Z", "2026-10-06T07:20:00.001Z", "datetime"),
        ("2024-06-30", "2024-07-01", "date"),
        (Decimal(9_007_199_254_740_993), 9_007_199_254_740_992, "double"),
    ],
)
def test_tells_different_values_apart(one: Any, other: Any, salesforce_type: str) -> None:
    assert not same_value(one, other, salesforce_type)


@given(st.dictionaries(st.sampled_from(["Name", "Phone", "Industry"]), st.none() | st.text(max_size=5) | st.integers()))
def test_finds_nothing_in_a_row_that_the_record_was_made_of(fields: dict[str, Any]) -> None:
    assert row_differences(a_state(**fields), fields, {}) == ()


def test_names_column_and_both_values() -> None:
    found = row_differences(a_state(Name="Old", Phone="1"), {"Name": "New", "Phone": "1"}, {})
    assert found == (ColumnDifference("Name", "Old", "New"),)


def test_leaves_alone_what_the_row_does_not_carry() -> None:
    assert row_differences(a_state(Name="Old", Phone="1"), {"Name": "Old"}, {}) == ()


def test_counts_a_value_that_only_the_row_has() -> None:
    assert row_differences(a_state(), {"Phone": "1"}, {}) == (ColumnDifference("Phone", None, "1"),)


def test_does_not_count_that_somebody_looked_at_the_record() -> None:
    assert row_differences(a_state(), {"LastViewedDate": MODSTAMP, "LastReferencedDate": MODSTAMP}, {}) == ()


@pytest.mark.parametrize("deleted", [True, "true"])
def test_counts_a_deletion(deleted: object) -> None:
    (found,) = row_differences(a_state(), {"IsDeleted": deleted}, {})
    assert (found.column, found.in_log, found.in_salesforce) == ("IsDeleted", False, True)


def test_counts_a_modification_later_than_any_known_change() -> None:
    assert row_differences(a_state(), {"SystemModstamp": MODSTAMP}, {}) == ()
    later = "2026-10-06T07:20:01.000Z"
    assert row_differences(a_state(), {"SystemModstamp": later}, {})[0].column == "SystemModstamp"


def test_passes_over_what_rest_adds_to_a_row() -> None:
    row = {
        "attributes": {"type": "Account"},
        "BillingAddress": {"city": "Oslo"},
        "Owner__r": None,
        "MailingAddress": None,
    }
    assert row_differences(a_state(), row, {}) == ()
