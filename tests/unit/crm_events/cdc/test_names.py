import pytest

from crm_events.cdc.names import components, flat_name, flatten


@pytest.mark.parametrize(
    ("name", "flat"),
    [
        ("Phone", "Phone"),
        ("BillingAddress.City", "BillingCity"),
        ("ShippingAddress.StateCode", "ShippingStateCode"),
        ("MailingAddress.Street", "MailingStreet"),
        ("PersonMailingAddress.City", "PersonMailingCity"),
        ("ShipFromAddress.Country", "ShipFromCountry"),
        ("FulfilledToAddress.PostalCode", "FulfilledToPostalCode"),
        ("Address.City", "City"),
        ("Name.FirstName", "FirstName"),
        ("Location.Latitude", "Latitude"),
        ("Site__c.Latitude", "Site__Latitude__s"),
        ("acme__Site__c.Longitude", "acme__Site__Longitude__s"),
        ("Depot__c.Street", "Depot__Street__s"),
        ("Depot__c.Odd", "Depot__c.Odd"),
        ("Unheard.Of", "Unheard.Of"),
        ("A.B.C", "A.B.C"),
        ("BillingAddress.X.Y", "BillingX.Y"),
    ],
)
def test_gives_a_field_the_name_rest_has_for_it(name: str, flat: str) -> None:
    assert flat_name(name) == flat


def test_flattens_compounds_and_keeps_the_rest() -> None:
    body = {"Name": {"LastName": "Dahl"}, "BillingAddress": {"City": "Visby", "Street": None}, "Phone": "1"}
    assert flatten(body) == {"LastName": "Dahl", "BillingCity": "Visby", "BillingStreet": None, "Phone": "1"}


def test_flattens_compounds_nobody_knows_at_any_depth() -> None:
    assert flatten({"A": {"B": {"C": 1}, "D": 2}}) == {"A.B.C": 1, "A.D": 2}


def test_a_diff_is_no_compound() -> None:
    assert flatten({"Description": {"diff": "--- "}}) == {"Description": {"diff": "--- "}}


@pytest.mark.parametrize("name", ["A", "A.B", "A.B.C"])
def test_a_dotted_name_and_a_nested_value_meet(name: str) -> None:
    nested: object = 1
    for part in reversed(name.split(".")):
        nested = {part: nested}
    assert isinstance(nested, dict)
    assert flatten(nested) == {flat_name(name): 1}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BillingAddress", ["BillingCity", "BillingStreet"]),
        ("Address", ["City"]),
        ("Name", ["LastName"]),
        ("Site__c", ["Site__Latitude__s"]),
        ("Odd", ["Odd.One"]),
        ("Phone", []),
    ],
)
def test_knows_the_components_of_a_compound(name: str, expected: list[str]) -> None:
    known = ["BillingCity", "BillingStreet", "City", "LastName", "Name", "Site__Latitude__s", "Odd.One", "Phone"]
    assert components(name, known) == expected
