from dataclasses import replace
from typing import Any

import orjson
import pytest

from crm_mappings.registry import all_mappings
from crm_mappings.schema import FieldSpec
from crm_projections.adapters.opensearch.layout import OWN, layout_of, mapping_of, stored_document
from crm_projections.adapters.opensearch.long_texts import MAX_TERM
from crm_projections.adapters.refusals import UnfitDocumentError
from tests.contracts.documents import FIELDS, a_document


def body_of(**values: Any) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(layout_of(FIELDS).body(a_document(**values)))
    return body


def unmapped(body: dict[str, Any], mapping: dict[str, Any], path: str = "") -> set[str]:
    """Return the fields of a body that a strict mapping does not name."""
    missing = set()
    for name, value in body.items():
        known = mapping.get("properties", {}).get(name)
        if known is None:
            missing.add(path + name)
        elif isinstance(value, dict) and known.get("dynamic") is not True:
            missing |= unmapped(value, known, f"{path}{name}.")
    return missing


def test_every_field_of_every_entity_is_mapped() -> None:
    for mapping in all_mappings():
        fields = mapping.schema.fields
        values = {spec.name: None for spec in fields} | {"id": "1", "is_deleted": False}
        body = orjson.loads(layout_of(fields).body(replace(a_document(), values=values)))

        assert unmapped(body, mapping_of(fields)) == set()
        assert mapping_of(fields)["dynamic"] == "strict"


def test_a_body_with_everything_is_mapped() -> None:
    body = body_of(name="N" * (MAX_TERM + 1), amount="1", tags=["a"], notes="x", term=1, won=True, seen_at="t")

    assert unmapped(body, mapping_of(FIELDS)) == set()


def test_a_document_comes_back_byte_for_byte() -> None:
    document = a_document(name="Żółw \U0001f600 \x00 \"'\\", amount="10.50", tags=["é"], term=2**62, notes="z" * 9_000)

    stored = stored_document("001A", orjson.loads(layout_of(FIELDS).body(document)))

    assert stored.body == document.to_json(FIELDS)
    assert (stored.id, stored.version, stored.is_deleted) == ("001A", 1, False)


def test_short_documents_carry_no_pieces() -> None:
    assert "long" not in body_of(name="x" * 200)[OWN]


def test_what_is_searched_is_computed_here() -> None:
    own = body_of(name="O'Brien ÉTAGE", nickname=None, amount="-10.0", tags=[])[OWN]

    assert sorted(own.pop("words")) == ["brien", "o", "étage"]
    assert own == {
        "id": "001A",
        "deleted": "false",
        "keys": {"name": "o'brien étage", "amount": own["keys"]["amount"]},
        "lists": ["tags"],
    }


@pytest.mark.parametrize("id_", ["", "x" * 513, "é" * 257])
def test_an_id_that_no_index_takes_is_refused(id_: str) -> None:
    document = replace(a_document(), id=id_)

    with pytest.raises(UnfitDocumentError, match="id"):
        layout_of((FieldSpec("name", FIELDS[2].kind),)).body(document)
