from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_mappings.identifiers import to_18_characters

ALPHABET = "ABCXYZabcxyz0159"
FORMS: dict[str, Callable[[str], str]] = {
    "15 characters": lambda full: full[:15],
    "18 characters": lambda full: full,
    "all lower case": str.lower,
    "all upper case": str.upper,
    "checksum in lower case": lambda full: full[:15] + full[15:].lower(),
}
IDS_15 = st.text(ALPHABET, min_size=15, max_size=15)


def test_completes_an_id_of_15_characters() -> None:
    assert to_18_characters("001Qy00000KdT1a") == "001Qy00000KdT1aIAF"


def test_keeps_an_id_of_18_characters() -> None:
    assert to_18_characters("001Qy00000KdT1aIAF") == "001Qy00000KdT1aIAF"


@pytest.mark.parametrize("mangled", ["001qy00000kdt1aiaf", "001QY00000KDT1AIAF", "001Qy00000KdT1aiaf"])
def test_gives_an_id_the_case_of_its_letters_back(mangled: str) -> None:
    assert to_18_characters(mangled) == "001Qy00000KdT1aIAF"


def test_keeps_an_id_whose_checksum_does_not_fit_as_it_came() -> None:
    assert to_18_characters("001Qy00000KdT1aAAA") == "001Qy00000KdT1aAAA"


@pytest.mark.parametrize("not_restorable", ["001qy00000kdt1azzz", "001qy00000kdt1a999", "001qy00000kdt1a555"])
def test_keeps_an_id_whose_case_cannot_be_restored_as_it_came(not_restorable: str) -> None:
    assert to_18_characters(not_restorable) == not_restorable


@pytest.mark.parametrize("text", ["", "001", "001Qy00000KdT1aIA", "001Qy00000KdT1-", "001Qy00000KdT1٣", "x" * 19])
def test_knows_what_is_no_id(text: str) -> None:
    assert to_18_characters(text) is None


@given(IDS_15, st.sampled_from(list(FORMS)))
def test_agrees_with_the_write_side_on_every_id_it_takes(id15: str, form: str) -> None:
    written = FORMS[form](normalize_id(id15))
    try:
        expected = normalize_id(written)
    except InvalidIdError:
        return
    assert to_18_characters(written) == expected
