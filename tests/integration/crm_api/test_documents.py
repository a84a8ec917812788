import pytest

from tests.builders import an_id
from tests.integration.crm_api.api import Api, decoded, faults, save


@pytest.mark.parametrize("path", ["clients", "entities/client"])
@pytest.mark.parametrize("length", [15, 18])
def test_a_document_is_found_by_15_and_18_characters(api: Api, path: str, length: int) -> None:
    save("client", {"id": an_id(1), "name": "Lindqvist Marine AB"})
    document = decoded(api.get(f"{path}/{an_id(1)[:length]}/"))
    assert (document["id"], document["name"], document["_meta"]["version"]) == (an_id(1), "Lindqvist Marine AB", 1)


@pytest.mark.parametrize("entity_id", [an_id(9), "nobody", "001Qy00000KdT1aIAA", "%00", "é", "a" * 3000])
def test_a_record_that_is_not_there_is_a_404(api: Api, entity_id: str) -> None:
    response = api.get(f"clients/{entity_id}/")
    assert response.status_code == 404
    assert decoded(response)["type"] == "urn:crm:problem:no-document"


def test_a_deleted_record_is_a_404_that_says_how_to_see_it(api: Api) -> None:
    save("client", {"id": an_id(1), "name": "Gone AB", "is_deleted": True})
    response = api.get(f"clients/{an_id(1)}/")
    assert (response.status_code, "include_deleted=true" in decoded(response)["detail"]) == (404, True)
    shown = decoded(api.get(f"clients/{an_id(1)}/", include_deleted="true"))
    assert (shown["name"], shown["is_deleted"]) == ("Gone AB", True)


def test_an_object_without_a_mapping_has_no_documents(api: Api) -> None:
    response = api.get(f"entities/Campaign/{an_id(1)}/")
    assert (response.status_code, "no mapping" in decoded(response)["detail"]) == (404, True)


def test_fields_shows_id_the_named_fields_and_meta(api: Api) -> None:
    save("client", {"id": an_id(1), "name": "Lindqvist Marine AB"})
    assert list(decoded(api.get(f"clients/{an_id(1)}/", fields="status,name"))) == ["id", "status", "name", "_meta"]


def test_parameters_of_lists_are_unknown_to_documents(api: Api) -> None:
    [fault] = faults(api.get(f"clients/{an_id(1)}/", name="x"))
    assert fault["allowed"] == ["include_deleted", "fields"]
