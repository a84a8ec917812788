import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.domain.identifiers import normalize_id
from crm_events.record.diffs import apply_diff
from crm_events.simulator.ids import Mint
from crm_events.simulator.life import names, notes
from crm_events.simulator.texts import DIFF_FROM_CHARACTERS, Diff, diff_of
from tests.unit.crm_events.simulator.reading import chance

_LINES = [f"{number}: {'settled before the next season of the catalogue. ' * 2}" for number in range(40)]
_BREAKS = st.sampled_from(["\r\n", "\n", "\r"])


@given(st.lists(st.sampled_from(_LINES), min_size=14, max_size=24), st.data())
def test_tells_of_an_edit_by_a_diff_that_fits(lines: list[str], data: st.DataObject) -> None:
    line_break = data.draw(_BREAKS)
    edited = list(lines)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(edited) - 1))
        edited[place : place + data.draw(st.integers(0, 1))] = data.draw(st.lists(st.sampled_from(_LINES), max_size=2))
    old, new = line_break.join(lines), line_break.join(edited)
    diff = diff_of(old, new)
    assert diff is None or apply_diff(old, diff.text) == new


def test_writes_a_diff_as_salesforce_does() -> None:
    old, new = (f"{'x' * 600}\r\nRenewal owner: {name}.\r\n{'y' * 600}\r\nTail\r\nEnd" for name in ("Dana", "Imre"))
    digest = hashlib.sha256(new.encode()).hexdigest()
    expected = f"--- \n+++ {digest}\n@@ -2,1 +2,1 @@\n-Renewal owner: Dana.\n+Renewal owner: Imre."
    assert diff_of(old, new) == Diff(expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, "x" * 2_000),
        ("short", "short too"),
        ("x\n" * 600, "x\n" * 1_000),
        ("\n".join(f"{n} {'x' * 80}" for n in range(20)), "\n".join(f"{n} {'y' * 80}" for n in range(20))),
    ],
    ids=["first", "short", "grown", "rewritten"],
)
def test_sends_a_text_whole_where_salesforce_does(old: str | None, new: str) -> None:
    assert diff_of(old, new) is None


@pytest.mark.parametrize("seed", range(10))
def test_writes_notes_whose_edits_come_as_diffs(seed: int) -> None:
    rng = chance(seed)
    text = notes.long_text(rng, names.FIRST_NAMES)
    assert len(text) >= DIFF_FROM_CHARACTERS
    assert diff_of(text, notes.edit(rng, text, names.FIRST_NAMES)) is not None


def test_gives_out_ids_that_are_valid_in_order_and_never_the_same() -> None:
    mint = Mint("a salt")
    ids = [mint.record_id("Account") for _ in range(4_000)]
    assert len(set(ids)) == 4_000
    assert ids == sorted(ids)
    assert all(normalize_id(record_id[:15]) == record_id for record_id in ids)


def test_gives_out_other_ids_for_another_salt() -> None:
    assert Mint("a salt").record_id("Account") != Mint("another").record_id("Account")


def test_goes_on_where_its_counts_ended() -> None:
    mint = Mint("a salt")
    mint.record_id("Account")
    assert Mint("a salt", mint.counts).record_id("Account") == mint.record_id("Account")


def test_never_names_two_companies_alike() -> None:
    rng, used = chance(), set[str]()
    for _ in range(2_000):
        company = names.company(rng, used.__contains__)
        assert company.name not in used
        used.add(company.name)


def test_writes_addresses_without_special_letters() -> None:
    name = {"FirstName": "Søren", "LastName": "Müller-Weiß"}
    assert names.email(name, "a.example") == "soren.muller-weiss@a.example"
