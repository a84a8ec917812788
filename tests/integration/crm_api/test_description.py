import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.validation import validate_schema

from crm_api.views.description import openapi_document
from tests.integration.crm_api.api import Api, decoded

pytestmark = pytest.mark.django_db


def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi_document())
    return found


def _parameters(path: str) -> dict[str, Any]:
    return {parameter["name"]: parameter for parameter in _document()["paths"][path]["get"]["parameters"]}


def _staff(*, is_staff: bool = True) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("operator", is_staff=is_staff))
    return client


def test_the_description_is_valid_openapi_3_1(api: Api) -> None:
    document = decoded(api.get("schema/"))
    assert document["openapi"].startswith("3.1")
    validate_schema(document)  # type: ignore[no-untyped-call]


def test_every_reference_of_the_description_leads_somewhere() -> None:
    document = _document()
    names = set(document["components"]["schemas"])
    used = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert used <= names
    assert {"Client", "Contact", "Contract", "Deal", "Lead"} <= names


def test_every_address_is_described_and_asks_for_a_key() -> None:
    paths = _document()["paths"]
    assert len(paths) == 2 + 5 * 3 + 3 + 7 + 2
    operations = [operation for path in paths.values() for operation in path.values()]
    assert all({"apiKey": []} in operation["security"] for operation in operations)
    assert all("401" in operation["responses"] for operation in operations)


def test_the_description_names_every_filter_of_every_field() -> None:
    deals = _parameters("/api/v1/deals/")
    assert {"amount", "amount__ne", "amount__in", "amount__gte", "amount__isnull", "name__startswith"} <= set(deals)
    assert "description" not in deals
    clients = _parameters("/api/v1/clients/")
    assert {name for name in clients if name.startswith("business")} == {"business_types", "business_types__in"}


def test_documents_are_described_with_their_fields_and_meta() -> None:
    deal = _document()["components"]["schemas"]["Deal"]
    assert deal["required"] == ["id", "_meta"]
    assert {"amount", "close_date", "_meta"} <= set(deal["properties"])


def test_the_docs_show_swagger_ui_from_this_service_alone() -> None:
    page = _staff().get("/api/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "http" not in text.replace("http-equiv", "")
    assert "<script>" not in text
    assert "<style" not in text
    script = _staff_script(text)
    assert "/api/v1/schema/" in script


def _staff_script(text: str) -> str:
    client = Client()
    client.force_login(User.objects.get())
    address = text.rsplit('<script src="', maxsplit=1)[-1].split('"', maxsplit=1)[0]
    response = client.get(address)
    assert response["Content-Type"].startswith("application/javascript")
    return response.content.decode()


def test_the_docs_send_a_stranger_to_the_login_page() -> None:
    response = Client().get("/api/docs/")
    assert (response.status_code, response["Location"]) == (302, "/admin/login/?next=/api/docs/")


def test_a_console_session_reads_the_description_and_nothing_else() -> None:
    client = _staff()
    assert client.get("/api/v1/schema/").status_code == 200
    assert client.get("/api/v1/clients/").status_code == 401


def test_a_session_without_the_console_reads_nothing() -> None:
    assert _staff(is_staff=False).get("/api/v1/schema/").status_code == 401


def test_the_schema_of_messages_is_served(api: Api) -> None:
    response = api.get("schemas/entity-changed.json")
    assert (response.status_code, response["Content-Type"]) == (200, "application/schema+json")
    assert "$schema" in decoded(response)
