from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm_events.cdc import BodyItem, parse_item
from crm_events.cdc.json_text import decode_exact, encode_exact
from crm_events.domain.events import EventType, NewEvent
from crm_events.record import EMPTY, RecordState, dump_state, fold, load_state
from tests.builders import a_change, a_new_event, a_snapshot
from tests.histories import FIELDS, a_history, changes, dense, row, sparse, values

histories = a_history()
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(-(10**9), 10**9, places=2) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from([*FIELDS, "Name", "MailingAddress", "Site__c", "Odd.One.Two", "Odd", "", ".", "Name.", "diff"])
bodies = st.dictionaries(names | st.text(max_size=9), anything | st.just({"diff": "--- \n+++ "}), max_size=6)


def folded(events: list[NewEvent]) -> RecordState:
    return reduce(fold, events, EMPTY)


@given(histories, st.data())
def test_folding_on_from_a_saved_state_is_folding_at_once(history: list[NewEvent], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(history)))
    saved = load_state(dump_state(folded(history[:cut])))
    assert reduce(fold, history[cut:], saved) == folded(history)


@given(histories)
def test_counts_every_event_of_a_history(history: list[NewEvent]) -> None:
    assert folded(history).event_count == len(history)


@given(histories)
def test_a_full_row_always_cleans_a_record(history: list[NewEvent]) -> None:
    assert not fold(folded(history), a_snapshot()).is_dirty


@given(histories)
def test_a_gap_always_makes_a_record_dirty(history: list[NewEvent]) -> None:
    assert fold(folded(history), a_new_event("GAP_UPDATE")).is_dirty


@given(histories, changes)
def test_an_update_changes_no_field_it_does_not_name(history: list[NewEvent], change: dict[str, Any]) -> None:
    before = folded(history)
    after = fold(before, a_new_event("UPDATE", dense(change), changed=list(change)))
    others = before.fields.keys() - row(change).keys()
    assert {name: after.fields[name] for name in others} == {name: before.fields[name] for name in others}
    assert after.fields.keys() == others | row(change).keys()


@given(histories, changes)
def test_the_dense_and_the_sparse_form_of_a_change_fold_alike(history: list[NewEvent], change: dict[str, Any]) -> None:
    before = folded(history)
    nulled = [name for name, value in change.items() if value is None]
    in_sparse_form = a_new_event("UPDATE", sparse(change), changed=list(change))
    in_dense_form = a_new_event("UPDATE", dense(change), changed=list(change), nulled=nulled)
    assert fold(before, in_dense_form) == fold(before, in_sparse_form)


@given(histories, st.fixed_dictionaries(dict.fromkeys(FIELDS, values)))
def test_a_whole_record_is_the_same_from_an_event_and_from_a_row(
    history: list[NewEvent], record: dict[str, Any]
) -> None:
    created = fold(folded(history), a_new_event("CREATE", sparse(record)))
    read = fold(EMPTY, a_snapshot(row(record)))
    assert dict(created.fields) == {name: value for name, value in read.fields.items() if value is not None} | (
        {"SystemModstamp": created.fields["SystemModstamp"]} if "SystemModstamp" in created.fields else {}
    )


@given(histories, bodies, st.lists(names, max_size=4), st.lists(names, max_size=2), st.sampled_from(list(EventType)))
def test_folds_whatever_could_be_parsed(
    history: list[NewEvent], body: dict[str, Any], changed: list[str], nulled: list[str], event_type: EventType
) -> None:
    change = a_change("UPDATE", {}, changed=changed, nulled=nulled, diffs=changed[:1])
    change["detail"]["payload"]["ChangeEventHeader"]["changeType"] = event_type.value
    change["detail"]["payload"] |= {name: value for name, value in body.items() if name != "ChangeEventHeader"}
    raw = encode_exact(change)
    for event in parse_item(BodyItem(decode_exact(raw), raw), "delivery-1", 0).events:
        state = fold(folded(history), event)
        assert load_state(dump_state(state)) == state
