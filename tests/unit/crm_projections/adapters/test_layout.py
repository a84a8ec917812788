import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_mappings.schema import FieldKind, FieldSpec
from crm_projections.adapters.refusals import UnfitDocumentError
from crm_projections.adapters.sql.layout import layout_of, list_text, member_text
from tests.contracts.documents import FIELDS, a_document

VALUES = st.text("a\x1e\x1f01", max_size=4)


@given(st.lists(VALUES, max_size=4), VALUES)
def test_a_list_text_contains_exactly_its_members(values: list[str], value: str) -> None:
    assert (member_text(value) in list_text(values)) == (value in values)


def test_a_row_has_a_cell_for_every_column() -> None:
    layout = layout_of(FIELDS)

    row = dict(zip(layout.columns, layout.row(a_document(name="Łódź", amount="10.0", tags=["A"])), strict=True))

    assert row["id"] == "001A"
    assert (row["f2_name"], row["f2_name_key"]) == ("Łódź", "łódź")
    assert row["f6_amount"] == "10.0"
    assert row["f11_tags"] == list_text(["A"])
    assert row["words"] == "łódź"


def test_names_that_databases_do_not_tell_apart_have_columns_of_their_own() -> None:
    names = ["x" * 80 + "1", "x" * 80 + "2", "Name", "name", 'a"b', "a b", "ñ"]

    columns = layout_of(tuple(FieldSpec(name, FieldKind.TEXT) for name in names)).columns

    assert len({column.lower() for column in columns}) == len(columns)
    assert all(column.isascii() and column.isidentifier() and len(column) <= 60 for column in columns)


def test_a_long_text_has_no_column() -> None:
    assert layout_of(FIELDS).find("notes") is None


def test_the_letters_of_an_escaped_nul_are_no_nul() -> None:
    assert layout_of(FIELDS).row(a_document(name="\\u0000"))


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(UnfitDocumentError, match="The field amount cannot be stored: “ten” is no decimal number"):
        layout_of(FIELDS).row(a_document(amount="ten"))
