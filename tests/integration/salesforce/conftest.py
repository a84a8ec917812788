from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from crm_events.adapters.salesforce.source import SalesforceSource
from tests.fakes import NotedBudget
from tests.integration.salesforce.server import FakeSalesforce


class MakeSource(Protocol):
    def __call__(self, **settings: Any) -> SalesforceSource: ...


@pytest.fixture
def salesforce() -> Iterator[FakeSalesforce]:
    with FakeSalesforce().running() as fake:
        fake.on_describe("Account", Id="id", Name="string", Phone="phone", Size__c="double", Open__c="boolean")
        yield fake


@pytest.fixture
def budget() -> NotedBudget:
    return NotedBudget()


@pytest.fixture
def slept() -> list[float]:
    """The seconds that the source slept instead of sleeping them."""
    return []


@pytest.fixture
def make_source(salesforce: FakeSalesforce, budget: NotedBudget, slept: list[float]) -> MakeSource:
    def make(**settings: Any) -> SalesforceSource:
        options = {"url": salesforce.url, "client_id": "app", "client_secret": "secret", "margin_seconds": 0.0}
        return SalesforceSource(budget=budget, sleep=slept.append, **{**options, **settings})

    return make


@pytest.fixture
def source(make_source: MakeSource) -> SalesforceSource:
    return make_source()
