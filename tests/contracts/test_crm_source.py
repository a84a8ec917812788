from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.adapters.salesforce.source import SalesforceSource
from crm_events.ports.crm_source import CrmSource
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record, to_ms
from crm_events.simulator.serving import OrgServer
from crm_events.simulator.web import queries
from crm_events.simulator.web.oauth import ConnectedApp
from tests.contracts.crm_source import COLUMNS, ENTITY, CrmSourceContract, Org, a_deal
from tests.fakes import NotedBudget


class MemoryOrg(Org):
    def __init__(self) -> None:
        self.source = MemoryCrmSource()
        # The object has all columns before the first record is put.
        self.source.put(ENTITY, a_deal(99, **dict.fromkeys(set(COLUMNS) - {"Id", "Name"})))
        self.source.set_description(self.source.describe(ENTITY))
        self.source.erase(ENTITY, a_deal(99)["Id"])

    def put(self, entity: str, *rows: dict[str, Any]) -> None:
        self.source.put(entity, *rows)

    def delete(self, entity: str, record_id: str) -> None:
        self.source.delete(entity, record_id)

    def erase(self, entity: str, record_id: str) -> None:
        self.source.erase(entity, record_id)

    def hide(self, entity: str, record_id: str) -> None:
        self.source.hide(entity, record_id)
        self.source.may_see_all = False

    def clock(self) -> datetime:
        return self.source.now

    def set_page_size(self, rows: int) -> None:
        self.source.page_size = rows

    def fail_jobs(self, message: str) -> None:
        self.source.job_error = message

    def forget(self) -> None:
        self.source.forget_reads()
        self.source.forget_jobs()


class TestMemoryCrmSource(CrmSourceContract):
    @pytest.fixture
    def org(self) -> MemoryOrg:
        return MemoryOrg()

    @pytest.fixture
    def source(self, org: Org) -> CrmSource:
        assert isinstance(org, MemoryOrg)
        org.source.job_polls = 2
        return org.source


class ServedOrg(Org):
    """The simulator, over HTTP."""

    def __init__(self, org: SimulatedOrg, server: OrgServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self._org = org
        self.server = server
        self._monkeypatch = monkeypatch

    def put(self, entity: str, *rows: dict[str, Any]) -> None:
        stamp = self._org.now().isoformat()
        self._org.store.put(
            Record(
                entity,
                row["Id"],
                # Salesforce stores an empty text as null.
                {
                    name: None if value == "" else value
                    for name, value in row.items()
                    if name not in ("Id", "SystemModstamp")
                },
                modified_ms=to_ms(datetime.fromisoformat(row.get("SystemModstamp", stamp))),
            )
            for row in rows
        )

    def delete(self, entity: str, record_id: str) -> None:
        record = self._org.record(entity, record_id)
        assert record is not None
        self._org.delete([record])

    def erase(self, entity: str, record_id: str) -> None:
        self._org.store.purge(entity, [record_id])

    def hide(self, entity: str, record_id: str) -> None:
        record = self._org.record(entity, record_id)
        assert record is not None
        record.hidden = True
        self._org.store.put([record])

    def clock(self) -> datetime:
        return self._org.now()

    def set_page_size(self, rows: int) -> None:
        self._monkeypatch.setattr(queries, "_PAGE", rows)

    def fail_jobs(self, message: str) -> None:
        assert self.server.app.bulk.fail_unfinished(message) == 1

    def forget(self) -> None:
        self.server.app.queries.expire()
        for job_id in list(self.server.app.bulk._jobs):
            self.server.app.bulk._forget(self.server.app.bulk._jobs[job_id])


class TestSalesforceSource(CrmSourceContract):
    @pytest.fixture
    def org(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedOrg]:
        org = SimulatedOrg(clock=lambda: datetime.now(UTC))
        with OrgServer(org) as server:
            yield ServedOrg(org, server, monkeypatch)
        org.close()

    @pytest.fixture
    def source(self, org: Org) -> CrmSource:
        assert isinstance(org, ServedOrg)
        app = ConnectedApp()
        return SalesforceSource(
            url=org.server.url,
            client_id=app.consumer_key,
            client_secret=app.consumer_secret,
            margin_seconds=0.0,
            budget=NotedBudget(),
        )
