"""A caller of the API with a key, and documents to read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import orjson
from django.http import HttpResponse
from django.test import Client

from crm_api.auth import create_key
from crm_mappings.registry import mapping_for_entity
from crm_mappings.schema import EntitySchema
from crm_projections.backends import read_model
from crm_projections.ports.read_model import Document

NOW = datetime(2026, 10, 6, 7, 20, 40, 123_000, tzinfo=UTC)


class Api:
    """Calls the API with one key; addresses stand below ``/api/v1/``."""

    def __init__(self, key: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, **parameters: str) -> HttpResponse:
        return cast("HttpResponse", self.client.get(self._address(path), query_params=parameters, headers=self.headers))

    def follow(self, url: str) -> HttpResponse:
        return cast("HttpResponse", self.client.get(url, headers=self.headers))

    def post(self, body: bytes, content_type: str = "application/json", **headers: str) -> HttpResponse:
        sent = {**self.headers, **headers}
        return cast(
            "HttpResponse", self.client.post(self._address("events/"), body, content_type=content_type, headers=sent)
        )

    def send(self, method: str, path: str) -> HttpResponse:
        return cast("HttpResponse", self.client.generic(method, self._address(path), headers=self.headers))

    def ids(self, path: str, **parameters: str) -> list[str]:
        return [row["id"] for row in self.results(path, **parameters)]

    def results(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        response = self.get(path, **parameters)
        assert response.status_code == 200, response.content
        found: list[dict[str, Any]] = decoded(response)["results"]
        return found

    @staticmethod
    def _address(path: str) -> str:
        return path if path.startswith("/") else f"/api/v1/{path}"


def decoded(response: HttpResponse) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(response.content)
    return found


def a_key(*scopes: str) -> str:
    return create_key("a caller", scopes or ["ingest", "read"], NOW)[1]


def schema_of(entity: str) -> EntitySchema:
    mapping = mapping_for_entity(entity)
    assert mapping is not None
    return mapping.schema


def save(entity: str, *documents: dict[str, Any]) -> None:
    """Save documents with these values, null where they say nothing, through the read model's port."""
    model = read_model()
    generation = model.ensure_serving(schema_of(entity), "a-mapping", NOW)
    results = model.save_many(generation, [a_document(entity, values) for values in documents])
    assert all(not result.error for result in results), results
    model.refresh(entity)


def a_document(entity: str, values: dict[str, Any]) -> Document:
    nulls = dict.fromkeys(schema_of(entity).by_name)
    return Document(
        id=values["id"],
        version=1,
        order_key="001791271236000-1791271236617203714-000000000000001",
        complete=True,
        mapping="a-mapping",
        projected_at=NOW,
        values={**nulls, "is_deleted": False, **values},
    )


def faults(response: HttpResponse) -> Sequence[dict[str, Any]]:
    assert response.status_code == 400, response.content
    found: list[dict[str, Any]] = decoded(response)["errors"]
    return found
