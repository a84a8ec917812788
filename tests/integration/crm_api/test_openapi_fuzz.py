"""Whatever the API's own description allows, and much that it does not, is answered as described, never with a 5xx."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from config.wsgi import application
from crm_api.views.description import openapi_document
from crm_events.backends import event_store
from crm_events.entry import command_service
from crm_events.ports.commands import ProcessEvents
from crm_events.ports.event_store import StreamAppend
from tests.builders import a_change, a_new_event, an_id
from tests.integration.crm_api.api import NOW, a_key, save

pytestmark = pytest.mark.django_db
# So many parameters that walking through the bounds of each takes minutes; the list of any entity has the same code.
MANY_PARAMETERS = "^(client|contact|contract|deal|lead)_list$"


def _schema(*, walks_bounds: bool) -> OpenApiSchema:
    schema: OpenApiSchema = schemathesis.openapi.from_dict(json.loads(openapi_document()))
    schema.app = application
    schema.config.phases.coverage.enabled = walks_bounds
    schema.config.phases.fuzzing.enabled = not walks_bounds
    return schema


SCHEMA = _schema(walks_bounds=False)
BOUNDS = _schema(walks_bounds=True).exclude(operation_id_regex=MANY_PARAMETERS)
EXAMPLES = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(autouse=True)
def _keep_connection(db: None) -> Iterator[None]:  # noqa: ARG001  # the connection to keep
    """Let requests end without closing the connection that the test's transaction needs, as Django's client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def _something_to_read(db: None) -> None:  # noqa: ARG001  # documents are kept in the database
    """An empty read model would answer without a search."""
    for entity in ("client", "contact", "contract", "deal", "lead"):
        save(entity, {"id": an_id(1), "system_modified_stamp": "2026-10-06T07:20:36.000Z"}, {"id": an_id(2)})


@pytest.fixture
def headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {a_key('ingest', 'read', 'operate')}"}


@SCHEMA.parametrize()
@EXAMPLES
def test_every_operation_answers_as_described_and_never_with_a_5xx(case: Any, headers: dict[str, str]) -> None:
    # A schema cannot say all that a value must be: a sealed cursor, a page within reach, a decimal.
    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])


@BOUNDS.parametrize()
@EXAMPLES
def test_every_bound_of_a_parameter_is_kept(case: Any, headers: dict[str, str]) -> None:
    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])


@pytest.mark.parametrize("plural", ["clients", "contacts", "contracts", "deals", "leads"])
@pytest.mark.parametrize("query", [{}, {"fields": "id"}, {"cursor": "", "page_size": "1"}])
def test_lists_and_documents_answer_as_described(plural: str, query: dict[str, str], headers: dict[str, str]) -> None:
    fields = {name: value for name, value in query.items() if name == "fields"}
    for address, wanted in ((f"/api/v1/{plural}/", query), (f"/api/v1/{plural}/{{entity_id}}/", fields)):
        case = SCHEMA[address]["GET"].Case(path_parameters={"entity_id": an_id(1)}, query=wanted)
        assert case.call_and_validate(headers=headers).status_code == 200


@pytest.mark.parametrize(
    "address", ["/api/v1/clients/{entity_id}/events/", "/api/v1/entities/{entity}/{entity_id}/events/"]
)
def test_histories_answer_as_described(address: str, headers: dict[str, str]) -> None:
    event = a_new_event("CREATE")
    event_store().append([StreamAppend(event.stream, [event])], NOW)
    case = SCHEMA[address]["GET"].Case(path_parameters={"entity": "Account", "entity_id": an_id(1)}, query={})
    assert case.call_and_validate(headers=headers).status_code == 200


def test_deliveries_answer_as_described(headers: dict[str, str]) -> None:
    case = SCHEMA["/api/v1/events/"]["POST"].Case(body=[{"no": "event"}, a_change()], media_type="application/json")
    accepted = case.call_and_validate(headers=headers)
    command_service().process_events(ProcessEvents(), NOW)
    case = SCHEMA["/api/v1/deliveries/{delivery_id}/"]["GET"].Case(
        path_parameters={"delivery_id": accepted.json()["delivery"]}, query={}
    )
    assert len(case.call_and_validate(headers=headers).json()["outcomes"]) == 2
