from typing import Any

import pytest

from tests.builders import an_id
from tests.integration.crm_api.api import Api, faults, save

OWNER = "005Qy000001HbZpIAK"
_DEALS: tuple[dict[str, Any], ...] = (
    {
        "name": "Ahoy, Renewal",
        "stage": "Closed Won",
        "amount": "1250.50",
        "close_date": "2026-10-06",
        "is_won": True,
        "owner_id": OWNER,
        "created_date": "2026-10-06T07:20:36.000Z",
        "description": "A long text",
    },
    {
        "name": "ahoy upsell",
        "stage": "Prospecting",
        "amount": "99.9",
        "close_date": "2025-01-31",
        "is_won": False,
        "created_date": "2026-10-06T07:20:36.001Z",
    },
    {"name": "100% Möbius", "amount": "1250.5"},
    {},
)
FIRST, SECOND, THIRD, FOURTH = range(4)


@pytest.fixture(autouse=True)
def _deals(db: None) -> None:  # noqa: ARG001  # documents are kept in the database
    save("deal", *({"id": an_id(n, "Opportunity"), **values} for n, values in enumerate(_DEALS)))


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("name", "Ahoy, Renewal", [FIRST]),
        ("name", "ahoy, renewal", []),
        ("name", "", []),
        ("stage__ne", "Prospecting", [FIRST, THIRD, FOURTH]),
        ("stage__in", "Prospecting,Closed Won,Prospecting", [FIRST, SECOND]),
        ("stage__in", "", []),
        ("name__contains", "AHOY", [FIRST, SECOND]),
        ("name__contains", "%", [THIRD]),
        ("name__startswith", "100% mÖ", [THIRD]),
        ("name__gt", "AHOY, renewal", []),
        ("name__gte", "AHOY, renewal", [FIRST]),
        ("stage__isnull", "true", [THIRD, FOURTH]),
        ("stage__isnull", "false", [FIRST, SECOND]),
        ("amount", "1250.500", [FIRST, THIRD]),
        ("amount__ne", "1250.5", [SECOND, FOURTH]),
        ("amount__gt", "100", [FIRST, THIRD]),
        ("amount__lt", "100", [SECOND]),
        ("amount__in", "99.90,1", [SECOND]),
        ("amount__startswith", "125", [FIRST, THIRD]),
        ("close_date__gte", "2026-01-01", [FIRST]),
        ("close_date__startswith", "2025-01", [SECOND]),
        ("is_won", "true", [FIRST]),
        ("is_won__ne", "true", [SECOND, THIRD, FOURTH]),
        ("is_won__in", "true,false", [FIRST, SECOND]),
        ("is_deleted", "false", [FIRST, SECOND, THIRD, FOURTH]),
        ("owner_id", OWNER, [FIRST]),
        ("owner_id", OWNER[:15], [FIRST]),
        ("owner_id__in", f"{OWNER[:15]},{an_id(7)}", [FIRST]),
        ("id", an_id(SECOND, "Opportunity")[:15], [SECOND]),
        ("created_date", "2026-10-06T07:20:36Z", [FIRST]),
        ("created_date", "2026-10-06T09:20:36+02:00", [FIRST]),
        ("created_date", "2026-10-06T09:20:36 0200", [FIRST]),
        ("created_date__gt", "2026-10-06T07:20:36.000Z", [SECOND]),
        ("created_date__lte", "2026-10-06t07:20:36.0010000z", [FIRST, SECOND]),
    ],
)
def test_a_filter_finds_what_its_operator_says(api: Api, name: str, value: str, found: list[int]) -> None:
    assert api.ids("deals/", **{name: value}) == [an_id(n, "Opportunity") for n in found]


def test_filters_are_and_ed(api: Api) -> None:
    assert api.ids("deals/", amount="1250.5", is_won="true", q="renew") == [an_id(FIRST, "Opportunity")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", "1e3"),
        ("amount", "12,5"),
        ("amount__gt", ""),
        ("amount", "NaN"),
        ("amount__in", "1,,2"),
        ("amount", "1" * 19),
        ("close_date", "2026-02-30"),
        ("close_date", "20261006"),
        ("close_date", "2026-10-06T00:00:00Z"),
        ("created_date", "2026-10-06T07:20:36"),
        ("created_date", "2026-10-06"),
        ("created_date", "2026-10-06T07:20:36.0001Z"),
        ("created_date", "0001-01-01T00:00:00+14:00"),
        ("created_date", "2026-10-06T07:20:36+99:00"),
        ("is_won", "True"),
        ("is_won", "1"),
        ("stage__isnull", "yes"),
        ("owner_id", "005"),
        ("owner_id", "005Qy000001HbZp999"),
        ("owner_id__in", "005"),
        ("name", "a\0b"),
        ("name__in", ",".join(map(str, range(501)))),
    ],
)
def test_a_value_that_is_none_of_the_field_is_refused_with_what_is_allowed(api: Api, name: str, value: str) -> None:
    [fault] = faults(api.get("deals/", **{name: value}))
    assert fault["parameter"] == name
    assert fault["detail"]
    assert fault.get("allowed") or "NUL" in fault["detail"]


@pytest.mark.parametrize(
    ("path", "name", "allowed"),
    [
        ("deals/", "name__like", "name__contains"),
        ("deals/", "name__eq", "name"),
        ("deals/", "name__", "name__isnull"),
        ("deals/", "nme", "name"),
        ("deals/", "nme__gt", "name"),
        ("clients/", "business_types__contains", "business_types__in"),
        ("clients/", "business_types__ne", "business_types"),
        ("clients/", "business_types__isnull", "business_types"),
    ],
)
def test_an_unknown_field_or_operator_is_refused_with_those_there_are(
    api: Api, path: str, name: str, allowed: str
) -> None:
    [fault] = faults(api.get(path, **{name: "true"}))
    assert fault["parameter"] == name
    assert allowed in fault["allowed"]


@pytest.mark.parametrize("name", ["description", "description__isnull", "description__contains"])
def test_a_long_text_is_no_filter(api: Api, name: str) -> None:
    [fault] = faults(api.get("deals/", **{name: "true"}))
    assert (fault["parameter"], "long text" in fault["detail"]) == (name, True)


def test_lists_know_membership(api: Api) -> None:
    save(
        "client",
        {"id": an_id(1), "business_types": ["Label", "Publisher"]},
        {"id": an_id(2), "business_types": ["Society"]},
        {"id": an_id(3)},
    )
    assert api.ids("clients/", business_types="Label") == [an_id(1)]
    assert api.ids("clients/", business_types__in="Society,Publisher") == [an_id(1), an_id(2)]
    assert api.ids("clients/", business_types="Lab") == []


def test_a_parameter_given_twice_is_refused(api: Api) -> None:
    [fault] = faults(api.follow("/api/v1/deals/?name=a&name=b"))
    assert (fault["parameter"], fault["allowed"]) == ("name", ["one value"])


@pytest.mark.parametrize("query", ["name=%FF", "%FF=1", "&".join(f"a{n}=1" for n in range(1001))])
def test_a_query_string_that_cannot_be_read_is_refused(api: Api, query: str) -> None:
    assert faults(api.follow(f"/api/v1/deals/?{query}"))
