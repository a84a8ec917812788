import pytest
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce.format import quote_soql_value

from crm_events.adapters.salesforce import soql
from crm_events.ports.crm_source import FieldDescription, ObjectDescription, RowQuery, SourceRefusedError
from crm_events.simulator.soql import parse
from tests.builders import an_id

ACCOUNT = ObjectDescription("Account", [FieldDescription("Id", "id"), FieldDescription("Name", "string")])


@given(st.text())
def test_a_quoted_value_is_a_condition_of_its_own(text: str) -> None:
    soql.check_condition(f"Name = {quote_soql_value(text)}")


@given(st.text())
def test_nothing_gets_out_of_a_quoted_value(text: str) -> None:
    statement = soql.select(RowQuery("Account", ("Id",), f"Name = {quote_soql_value(text)}"), ACCOUNT, [an_id()])
    assert statement.endswith(f") AND Id IN ('{an_id()}')")
    bare = soql._QUOTED.sub("?", statement)
    assert bare == "SELECT Id FROM Account WHERE (Name = ?) AND Id IN (?)"


@given(st.text(alphabet="()' \\ORAND=Id1\n", max_size=40))
def test_a_condition_that_is_taken_stays_in_its_brackets(where: str) -> None:
    try:
        statement = soql.select(RowQuery("Account", ("Id",), where), ACCOUNT, [an_id()])
    except SourceRefusedError:
        return
    bare = soql._QUOTED.sub("", statement)
    assert "'" not in bare
    depth = [bare[: end + 1].count("(") - bare[: end + 1].count(")") for end in range(len(bare))]
    assert min(depth) == 0
    if where.strip():
        closing = bare.rindex(") AND Id IN")
        assert all(level >= 1 for level in depth[bare.index("(") : closing])


@pytest.mark.parametrize(
    "where",
    [
        "Name = 'a' LIMIT 5",
        "Name = 'a' order  by Name",
        "Name = 'a') OR (Name = 'b'",
        "Name = 'a",
        "Name = 'a\\'",
        "Name != null GROUP BY Name",
        "Name = 'a' ALL ROWS",
        "Name = 'a' FOR UPDATE",
        "Name = 'a' WITH SECURITY_ENFORCED",
    ],
)
def test_takes_no_condition_that_is_more_than_one(where: str) -> None:
    with pytest.raises(SourceRefusedError, match="MALFORMED_QUERY"):
        soql.check_condition(where)


@pytest.mark.parametrize(
    "where",
    [
        "Name LIKE '%limit 5%'",
        "Name = 'it\\'s (all'",
        "Limit__c > 5",
        "(Size__c > 1 OR Size__c < 0) AND CreatedDate >= 2026-10-06T07:00:00Z",
        "Id IN (SELECT AccountId FROM Contact)",
    ],
)
def test_takes_conditions_as_operators_write_them(where: str) -> None:
    soql.check_condition(where)


def test_writes_statements_that_a_parser_of_soql_reads() -> None:
    name = quote_soql_value("O'Neil \\ (x)")
    query = RowQuery("Account", ("Id", "Name"), f"Name = {name}")
    parse(soql.select(query, ACCOUNT, [an_id(1), an_id(2)]))
    parse(soql.count(query))
