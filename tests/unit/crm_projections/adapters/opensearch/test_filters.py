from typing import Any

import pytest

from crm_projections.adapters.opensearch.filters import Condition, Doubt, conditions_of
from crm_projections.adapters.opensearch.layout import layout_of
from crm_projections.ports.read_model import Filter, Operator, SearchQuery
from tests.contracts.documents import FIELDS

LAYOUT = layout_of(FIELDS)


def condition(field: str, operator: Operator, value: Any) -> Condition:
    query = SearchQuery(filters=[Filter(field, operator, value)], include_deleted=True)
    return conditions_of(query, LAYOUT)[0]


def test_signs_of_the_query_language_are_letters_in_a_part() -> None:
    found = condition("owner_id", Operator.CONTAINS, "a*b?c\\")

    assert found == {"wildcard": {"owner_id": {"value": "*a\\*b\\?c\\\\*", "case_insensitive": True}}}


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        (Operator.CONTAINS, "x" * 65),
        (Operator.STARTSWITH, "x" * 901),
        (Operator.GT, "x" * 901),
        (Operator.LTE, "é" * 451),
    ],
)
def test_what_no_query_can_hold_is_looked_at_one_by_one(operator: Operator, value: str) -> None:
    assert isinstance(condition("name", operator, value), Doubt)


@pytest.mark.parametrize(
    ("operator", "limit", "matching"),
    [
        (Operator.GT, "X" * 901, ["x" * 902]),
        (Operator.GTE, "X" * 901, ["X" * 901, "x" * 902]),
        (Operator.LT, "X" * 901, ["x" * 900]),
        (Operator.STARTSWITH, "X" * 901, ["X" * 901, "x" * 902]),
        (Operator.CONTAINS, "x" * 901, ["X" * 901, "x" * 902]),
    ],
)
def test_a_doubt_is_settled_by_the_whole_text(operator: Operator, limit: str, matching: list[str]) -> None:
    found = condition("name", operator, limit)

    assert isinstance(found, Doubt)
    assert [text for text in ("x" * 900, "X" * 901, "x" * 902) if found.matches({"name": text})] == matching


def test_deleted_documents_are_left_out_unless_asked_for() -> None:
    assert conditions_of(SearchQuery(), LAYOUT) == [{"term": {"_search.deleted": "false"}}]
    assert conditions_of(SearchQuery(include_deleted=True), LAYOUT) == []


def test_a_long_word_is_looked_for_whole() -> None:
    word = "\U00020000" * 254

    found = conditions_of(SearchQuery(words=[word], include_deleted=True), LAYOUT)[0]

    assert isinstance(found, Doubt)
    assert found.matches({"_search": {"words": ["a", word + "\U00020000"]}})
    assert not found.matches({"_search": {"words": [word[:-1]]}})
