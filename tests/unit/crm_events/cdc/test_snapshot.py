import json
from decimal import Decimal
from typing import Any

import pytest

from crm_events.cdc import RawEventError, confirmed_gone_raw, read_snapshot, snapshot_raw
from tests.builders import TIMESTAMP, a_stream, an_id


def columns(row: dict[str, Any]) -> dict[str, Any]:
    return read_snapshot(snapshot_raw(a_stream(), row, read_start=TIMESTAMP, full=True)).row


def test_reads_back_what_was_written() -> None:
    raw = snapshot_raw(a_stream(), {"Name": "x"}, read_start=TIMESTAMP, full=False, broadcast=True)
    snapshot = read_snapshot(raw)
    assert (snapshot.entity, snapshot.id, snapshot.read_start) == ("Account", an_id(), TIMESTAMP)
    assert (snapshot.full, snapshot.broadcast, snapshot.row) == (False, True, {"Name": "x"})


def test_a_row_is_silent_unless_told() -> None:
    assert not read_snapshot(snapshot_raw(a_stream(), {}, read_start=1, full=True)).broadcast


def test_keeps_the_digits_of_a_decimal() -> None:
    raw = snapshot_raw(a_stream(), {"Amount": Decimal("12.50")}, read_start=1, full=True)
    assert '"Amount":12.50' in raw
    assert str(read_snapshot(raw).row["Amount"]) == "12.50"


def test_refuses_a_float_which_lost_digits_already() -> None:
    with pytest.raises(TypeError):
        snapshot_raw(a_stream(), {"Amount": 12.5}, read_start=1, full=True)


def test_the_empty_text_of_a_csv_file_is_null() -> None:
    assert columns({"Phone": "", "Fax": None, "Name": " "}) == {"Phone": None, "Fax": None, "Name": " "}


def test_leaves_out_what_rest_adds_to_the_columns() -> None:
    row = {
        "attributes": {"type": "Account"},
        "BillingAddress": {"city": "Visby"},
        "BillingCity": "Visby",
        "Owner": {"attributes": {}, "Name": "Imre"},
        "Region__r": None,
    }
    assert columns(row) == {"BillingCity": "Visby"}


def test_half_a_character_in_a_row_does_not_keep_it_from_being_stored() -> None:
    row = columns({"Name": "cut \ud83d", "Phone": "\ud83d\ude00 é"})
    assert row == {"Name": "cut \ufffd", "Phone": "😀 é"}


def test_a_confirmed_deletion_says_what_is_gone() -> None:
    assert json.loads(confirmed_gone_raw(a_stream(), read_start=5)) == {
        "confirmed_gone": {"entity": "Account", "id": an_id(), "read_start": 5}
    }


@pytest.mark.parametrize("raw", ["", "[]", "{}", '{"snapshot": {}}', '{"snapshot": 1}'])
def test_says_so_when_a_recorded_text_is_no_row_any_more(raw: str) -> None:
    with pytest.raises(RawEventError):
        read_snapshot(raw)
