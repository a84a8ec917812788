"""Every query string that is allowed is answered, whatever its values."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_api.values import operators_of, parameter_name
from crm_mappings.schema import FieldKind, FieldSpec
from crm_projections.ports.read_model import Operator
from tests.builders import an_id
from tests.integration.crm_api.api import Api, decoded, save, schema_of

_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0,")
_TRAPS = ["%", "_", "\\", "'", '"', "ß", "İ", "😀", "\u0301", "*", "a" * 2000]
_TEXTS = st.text(_CHARACTERS, max_size=20) | st.sampled_from(_TRAPS)
_DIGITS = st.integers(min_value=-(10**18) + 1, max_value=10**18 - 1)
_VALUES: dict[FieldKind, st.SearchStrategy[str]] = {
    FieldKind.TEXT: _TEXTS,
    FieldKind.LIST: _TEXTS,
    FieldKind.ID: st.integers(0, 10**6).map(an_id),
    FieldKind.BOOL: st.sampled_from(["true", "false"]),
    FieldKind.DATE: st.dates().map(str),
    FieldKind.TIME: st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"),
    FieldKind.INT: _DIGITS.map(str),
    FieldKind.DECIMAL: st.decimals(-(10**18) + 1, 10**18 - 1, places=6).map(lambda number: f"{number:f}"),
}


@st.composite
def _queries(draw: st.DrawFn, entity: str) -> dict[str, str]:
    fields = schema_of(entity).fields
    query = {}
    for spec in draw(st.lists(st.sampled_from([spec for spec in fields if spec.is_filterable]), max_size=4)):
        operator = draw(st.sampled_from(operators_of(spec)))
        query[parameter_name(spec, operator)] = draw(_value(spec, operator))
    sortable = [spec.name for spec in fields if spec.is_sortable]
    sort = draw(st.lists(st.sampled_from(sortable), max_size=3, unique=True))
    if sort:
        query["sort"] = ",".join(draw(st.sampled_from(["", "-"])) + name for name in sort)
    if draw(st.booleans()):
        query["q"] = draw(
            st.text(alphabet=st.characters(exclude_categories=["Cs", "Z"], exclude_characters="\0"), max_size=10)
        )
    return {**query, **draw(st.sampled_from([{}, {"cursor": ""}, {"page": "3"}, {"include_deleted": "true"}]))}


def _value(spec: FieldSpec, operator: Operator) -> st.SearchStrategy[str]:
    if operator is Operator.ISNULL:
        return _VALUES[FieldKind.BOOL]
    if operator in (Operator.CONTAINS, Operator.STARTSWITH):
        return _TEXTS
    values = _VALUES[spec.kind]
    return (
        st.lists(values, max_size=3).map(",".join)
        if operator is Operator.IN and spec.kind is not FieldKind.TEXT
        else values
    )


@pytest.mark.parametrize("plural", ["clients", "contacts", "contracts", "deals", "leads"])
@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_query_string_that_is_allowed_is_answered(api: Api, plural: str, data: Any) -> None:
    entity = plural.removesuffix("s")
    save(entity, *({"id": an_id(n), "owner_id": an_id(n)} for n in range(3)))
    answer = api.get(f"{plural}/", **data.draw(_queries(entity)))
    assert answer.status_code == 200, answer.content
    assert len(decoded(answer)["results"]) <= decoded(answer)["count"] <= 3
