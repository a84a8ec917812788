from datetime import datetime
from typing import Any

import pytest

from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.ports.crm_source import CrmSource
from tests.contracts.crm_source import COLUMNS, CrmSourceContract, Org, an_account


class MemoryOrg(Org):
    def __init__(self) -> None:
        self.source = MemoryCrmSource()
        # The object has all columns before the first record is put.
        self.source.put("Account", an_account(99, **dict.fromkeys(set(COLUMNS) - {"Id", "Name"})))
        self.source.set_description(self.source.describe("Account"))
        self.source.erase("Account", an_account(99)["Id"])

    def put(self, entity: str, *rows: dict[str, Any]) -> None:
        self.source.put(entity, *rows)

    def delete(self, entity: str, record_id: str) -> None:
        self.source.delete(entity, record_id)

    def erase(self, entity: str, record_id: str) -> None:
        self.source.erase(entity, record_id)

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
