import orjson
import pytest

from crm_projections.backends import read_model
from crm_projections.ports.read_model import EXACT_COUNT_LIMIT
from tests.builders import an_id
from tests.integration.crm_api.api import Api, decoded, faults, save, schema_of


def _deals(count: int) -> None:
    save("deal", *({"id": an_id(n, "Opportunity"), "name": f"Deal {n}", "amount": f"{n}.50"} for n in range(count)))


def test_serves_a_document_as_it_is_stored(api: Api) -> None:
    save("client", {"id": an_id(1), "name": "Lindqvist Marine AB", "business_types": ["Label", "Publisher"]})
    [client] = api.results("clients/")
    assert list(client) == [*schema_of("client").by_name, "_meta"]
    assert (client["name"], client["business_types"]) == ("Lindqvist Marine AB", ["Label", "Publisher"])
    assert client["_meta"] == {
        "version": 1,
        "order_key": "001791271236000-1791271236617203714-000000000000001",
        "complete": True,
        "mapping": "a-mapping",
        "projected_at": "2026-10-06T07:20:40.123Z",
    }


@pytest.mark.parametrize("plural", ["clients", "contacts", "contracts", "deals", "leads"])
def test_an_entity_without_documents_is_an_empty_list(api: Api, plural: str) -> None:
    empty = {"results": [], "count": 0, "count_is_lower_bound": False, "next": None, "previous": None}
    assert decoded(api.get(f"{plural}/")) == empty


def test_typed_and_generic_addresses_show_the_same(api: Api) -> None:
    _deals(3)
    assert api.results("deals/", sort="-amount") == api.results("entities/deal/", sort="-amount")


def test_an_object_without_a_mapping_has_no_list(api: Api) -> None:
    response = api.get("entities/Campaign/")
    assert response.status_code == 404
    assert "no mapping for “Campaign”" in decoded(response)["detail"]


def test_pages_link_to_their_neighbours(api: Api) -> None:
    _deals(5)
    page = decoded(api.get("deals/", page="2", page_size="2", sort="-id", name__contains="deal"))
    assert (page["count"], page["count_is_lower_bound"]) == (5, False)
    assert page["next"] == "http://testserver/api/v1/deals/?page_size=2&sort=-id&name__contains=deal&page=3"
    assert page["previous"] == "http://testserver/api/v1/deals/?page_size=2&sort=-id&name__contains=deal&page=1"
    last = decoded(api.follow(page["next"]))
    assert ([row["name"] for row in last["results"]], last["next"]) == (["Deal 0"], None)


def test_a_page_has_25_rows_unless_asked(api: Api) -> None:
    _deals(26)
    assert len(api.results("deals/")) == 25
    assert len(api.results("deals/", page_size="500")) == 26


@pytest.mark.parametrize("size", ["0", "501", "-1", "x", "", "٣"])
def test_a_page_size_out_of_range_is_refused_with_the_range(api: Api, size: str) -> None:
    [fault] = faults(api.get("deals/", page_size=size))
    assert (fault["parameter"], fault["allowed"]) == ("page_size", ["1 to 500"])


def test_pages_end_at_row_10000_and_name_the_cursor(api: Api) -> None:
    assert api.get("deals/", page="20", page_size="500").status_code == 200
    [fault] = faults(api.get("deals/", page="21", page_size="500"))
    assert fault["parameter"] == "page"
    assert "cursor=" in fault["detail"]
    assert fault["allowed"] == ["1 to 20, with page_size=500"]


def test_links_go_on_as_a_walk_where_pages_end(api: Api) -> None:
    _deals(EXACT_COUNT_LIMIT + 3)
    last = decoded(api.get("deals/", page="34", page_size="300", fields="id"))
    assert (last["count"], last["count_is_lower_bound"], len(last["results"])) == (EXACT_COUNT_LIMIT, True, 100)
    after = decoded(api.follow(last["next"]))
    assert [row["id"] for row in after["results"]] == [an_id(EXACT_COUNT_LIMIT + n, "Opportunity") for n in range(3)]
    assert after["count_is_lower_bound"] is True


def test_a_walk_meets_every_row_once_and_ends_with_null(api: Api) -> None:
    _deals(7)
    seen, url = [], "/api/v1/deals/?cursor=&page_size=3&sort=-name"
    while url:
        page = decoded(api.follow(url))
        assert (page["count"], page["previous"]) == (7, None)
        seen += [row["name"] for row in page["results"]]
        url = page["next"]
    assert seen == [f"Deal {n}" for n in range(6, -1, -1)]


def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    _deals(3)
    following = decoded(api.get("deals/", cursor="", page_size="1", sort="name"))["next"]
    for changed in (
        following.replace("sort=name", "sort=-name"),
        following.replace("/deals/", "/clients/"),
        f"{following}&amount__gt=1",
        f"{following}&q=deal",
        f"{following}&include_deleted=true",
    ):
        assert [fault["parameter"] for fault in faults(api.follow(changed))] == ["cursor"]
    assert api.follow(following.replace("page_size=1", "page_size=2")).status_code == 200


@pytest.mark.parametrize("cursor", ["x", "W10", "%%%", "bnVsbA", "é", "A" * 9000])
def test_a_cursor_that_is_none_is_refused(api: Api, cursor: str) -> None:
    assert [fault["parameter"] for fault in faults(api.get("deals/", cursor=cursor))] == ["cursor"]


def test_page_and_cursor_exclude_each_other(api: Api) -> None:
    assert [fault["parameter"] for fault in faults(api.get("deals/", cursor="", page="1"))] == ["page"]


def test_fields_shows_id_the_named_fields_in_that_order_and_meta(api: Api) -> None:
    _deals(1)
    [deal] = api.results("deals/", fields="amount,name")
    assert list(deal) == ["id", "amount", "name", "_meta"]
    assert (deal["amount"], deal["name"]) == ("0.50", "Deal 0")


@pytest.mark.parametrize("fields", ["", "nme", "name,", "name,name"])
def test_fields_that_cannot_be_shown_are_refused(api: Api, fields: str) -> None:
    assert [fault["parameter"] for fault in faults(api.get("deals/", fields=fields))] == ["fields"]


def test_deleted_records_are_in_lists_only_if_asked(api: Api) -> None:
    save("lead", {"id": an_id(1, "Lead"), "last_name": "Okafor"}, {"id": an_id(2, "Lead"), "is_deleted": True})
    assert api.ids("leads/") == [an_id(1, "Lead")]
    assert api.ids("leads/", include_deleted="true") == [an_id(1, "Lead"), an_id(2, "Lead")]


@pytest.mark.parametrize("value", ["1", "True", "yes", ""])
def test_a_flag_is_true_or_false(api: Api, value: str) -> None:
    [fault] = faults(api.get("leads/", include_deleted=value))
    assert fault["allowed"] == ["true", "false"]


@pytest.mark.parametrize("sort", ["", "-", "nme", "description", "business_types", "name,name", "name,-name", "--name"])
def test_a_sort_that_cannot_be_is_refused(api: Api, sort: str) -> None:
    assert [fault["parameter"] for fault in faults(api.get("clients/", sort=sort))] == ["sort"]


def test_sorts_by_several_fields(api: Api) -> None:
    rows = [("b", "1.00"), ("A", "2.50"), ("B", "10.00"), (None, "1.00")]
    save("deal", *({"id": an_id(n, "Opportunity"), "name": name, "amount": to} for n, (name, to) in enumerate(rows)))
    found = [(row["name"], row["amount"]) for row in api.results("deals/", sort="name,-amount")]
    assert found == [("A", "2.50"), ("B", "10.00"), ("b", "1.00"), (None, "1.00")]


@pytest.mark.parametrize(
    ("q", "found"),
    [("lind", ["Lindqvist Marine AB"]), ("MAR lindq", ["Lindqvist Marine AB"]), ("arine", []), ("%", []), ("", 2)],
)
def test_q_looks_for_beginnings_of_words(api: Api, q: str, found: list[str] | int) -> None:
    save("client", {"id": an_id(1), "name": "Lindqvist Marine AB"}, {"id": an_id(2), "name": "Oak & Sons"})
    names = [row["name"] for row in api.results("clients/", q=q)]
    assert (names if isinstance(found, list) else len(names)) == found


def test_q_of_too_many_words_is_refused(api: Api) -> None:
    assert [fault["parameter"] for fault in faults(api.get("clients/", q="a b c d e f g h i j k"))] == ["q"]


def test_every_fault_of_a_query_string_is_told_at_once(api: Api) -> None:
    found = faults(api.get("deals/", page="0", sort="x", colour="red", amount="much", fields="y", description="z"))
    assert {fault["parameter"] for fault in found} == {"page", "sort", "colour", "amount", "fields", "description"}
    assert all(fault["detail"] for fault in found)


@pytest.mark.embedded_only("an answer of OpenSearch is JSON itself, whatever is in it")
def test_results_are_not_decoded_on_their_way(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    _deals(2)
    monkeypatch.setattr(orjson, "loads", None)
    response = api.get("deals/")
    monkeypatch.undo()
    assert len(decoded(response)["results"]) == 2


def test_a_read_model_that_does_not_answer_is_a_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm_projections.ports.read_model import ReadModelUnavailableError  # noqa: PLC0415

    def search(*_args: object) -> None:
        raise ReadModelUnavailableError("no route to host")

    monkeypatch.setattr(read_model(), "search", search)
    response = api.get("deals/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "no route" not in response.content.decode()
