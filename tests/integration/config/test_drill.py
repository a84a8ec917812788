from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from config.drill.comparing import Disagreement, disagreements
from config.drill.org import Org
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import event_store
from crm_events.domain.events import NewEvent
from crm_events.services.appending import append_events
from crm_mappings.registry import mapping_for_entity
from crm_projections.backends import read_model
from crm_projections.ports.read_model import Document
from tests.builders import a_new_event, a_stream, an_id
from tests.integration.config.sources import at_once
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db


@dataclass
class FakeOrg:
    """An org whose truth the test says, though the service may read another."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def objects(self) -> list[str]:
        return ["Account"]

    def records(self, _entity: str) -> Iterator[dict[str, Any]]:
        yield from ({"fields": row, "hidden": False} for row in self.rows)


@pytest.fixture
def org(source: MemoryCrmSource) -> FakeOrg:
    """Return an org of three records that log and documents know as they are."""
    source.put("Account", *[{"Id": an_id(n), "Name": f"Client {n}"} for n in (1, 2, 3)])
    rows = [source.row("Account", an_id(n)) for n in (1, 2, 3)]
    at = int(source.now.timestamp() * 1000)
    for n, row in enumerate(rows, 1):
        values = {name: value for name, value in row.items() if name not in ("Id", "IsDeleted", "SystemModstamp")}
        happen(a_new_event("CREATE", values, stream=a_stream(n), timestamp=at))
    return FakeOrg(rows)


def happen(*events: NewEvent) -> None:
    append_events(event_store(), events, NOW)
    at_once()


def found(org: FakeOrg) -> list[Disagreement]:
    return list(disagreements(cast("Org", org)))


def test_agreement_is_found_where_it_is(org: FakeOrg) -> None:
    assert found(org) == []


def test_a_value_that_the_log_missed_is_found_in_log_and_document(org: FakeOrg) -> None:
    org.rows[1]["Name"] = "Renamed"
    assert found(org) == [
        Disagreement(str(a_stream(2)), "log", ["Name"]),
        Disagreement(str(a_stream(2)), "document", ["name"]),
    ]


def test_a_record_that_the_log_missed_is_found(org: FakeOrg) -> None:
    org.rows.append({**org.rows[0], "Id": an_id(9)})
    assert {(one.record, one.where) for one in found(org)} == {
        (str(a_stream(9)), "log"),
        (str(a_stream(9)), "document"),
    }


def test_a_deletion_that_the_log_missed_is_found(org: FakeOrg) -> None:
    org.rows[0]["IsDeleted"] = True
    assert {one.where for one in found(org)} == {"log", "document"}


def test_a_record_that_is_gone_for_good_is_found(org: FakeOrg) -> None:
    del org.rows[0]
    assert found(org) == [Disagreement(str(a_stream()), "log", ("deleted for good",))]


def test_a_wrong_document_is_found_though_the_log_is_right(org: FakeOrg) -> None:
    (generation,) = read_model().generations("client")
    mapping = mapping_for_entity("client")
    assert mapping is not None
    stored = read_model().get_many("client", [an_id()])[an_id()]
    values = {name: value for name, value in stored.decode().items() if name != "_meta"}
    wrong = Document(
        id=an_id(),
        version=stored.version,
        order_key="",
        complete=True,
        mapping=mapping.fingerprint,
        projected_at=NOW,
        values={**values, "name": "Wrong"},
    )
    read_model().save_many(generation, [wrong])
    assert found(org) == [Disagreement(str(a_stream()), "document", ["name"])]


def test_a_record_that_is_still_to_be_read_again_is_found(org: FakeOrg, source: MemoryCrmSource) -> None:
    at = int(source.now.timestamp() * 1000) + 1000
    happen(a_new_event("GAP_UPDATE", stream=a_stream(3), timestamp=at))
    (one,) = found(org)
    assert (one.record, "still to be read again" in one.fields) == (str(a_stream(3)), True)
