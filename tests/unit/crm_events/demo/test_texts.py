import pytest

from crm_events.demo import names
from crm_events.demo.ids import Mint
from crm_events.demo.texts import DIFF_FROM_CHARACTERS, edit, long_text
from crm_events.domain.identifiers import normalize_id
from crm_events.record.diffs import apply_diff
from tests.unit.crm_events.demo.reading import chance


@pytest.mark.parametrize("seed", range(20))
def test_edits_a_long_text_by_a_diff_that_fits(seed: int) -> None:
    rng = chance(seed)
    text = long_text(rng, names.FIRST_NAMES)
    changed, diff = edit(rng, text, names.FIRST_NAMES)
    assert len(text) >= DIFF_FROM_CHARACTERS
    assert changed != text
    assert apply_diff(text, diff) == changed


def test_gives_out_ids_that_are_valid_and_never_the_same() -> None:
    mint = Mint("a salt")
    ids = [mint.record_id("Account") for _ in range(200)]
    assert len(set(ids)) == 200
    assert all(normalize_id(record_id[:15]) == record_id for record_id in ids)


def test_gives_out_other_ids_for_another_salt() -> None:
    assert Mint("a salt").record_id("Account") != Mint("another").record_id("Account")


def test_never_names_two_companies_alike() -> None:
    rng, used = chance(), set[str]()
    assert len({names.company(rng, used).name for _ in range(2_000)}) == 2_000


def test_writes_addresses_without_special_letters() -> None:
    name = {"FirstName": "Søren", "LastName": "Müller-Weiß"}
    assert names.email(name, "a.example") == "soren.muller-weiss@a.example"
