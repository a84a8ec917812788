import pytest

from crm_events.ports.provisioning import Condition, Finding
from crm_projections.adapters.opensearch.catalogue import Catalogue
from tests.contracts.documents import NOW, a_document, a_schema, fill, serving
from tests.contracts.generations import another
from tests.integration.crm_projections.opensearch.test_generations import DiedError, die
from tests.opensearch import OpenSearchIndices

READY, MISSING, DIFFERENT = Condition.READY, Condition.MISSING, Condition.DIFFERENT
CREATED, CHANGED = Condition.CREATED, Condition.CHANGED


def told(opensearch: OpenSearchIndices, *, change: bool = False) -> dict[str, Finding]:
    """Return the findings by subject, without the prefix that only this test has."""
    model = opensearch.another()
    found = model.provision() if change else model.verify()
    return {finding.subject.replace(opensearch.prefix, "crm"): finding for finding in found}


def conditions(opensearch: OpenSearchIndices, *, change: bool = False) -> dict[str, Condition]:
    found = told(opensearch, change=change)
    return {subject: one.condition for subject, one in found.items() if not subject.startswith("cluster")}


def test_an_empty_cluster_is_made_ready(opensearch: OpenSearchIndices) -> None:
    things = ["index template crm-documents", "index crm.generations"]

    assert conditions(opensearch) == dict.fromkeys(things, MISSING)
    assert conditions(opensearch, change=True) == dict.fromkeys(things, CREATED)
    assert conditions(opensearch, change=True) == dict.fromkeys(things, READY)


def test_everything_the_service_made_is_as_it_must_be(opensearch: OpenSearchIndices) -> None:
    opensearch.model.provision()
    fill(opensearch.model, a_document("1", name="x" * 9_000))
    another(opensearch.model)

    found = told(opensearch)

    assert {finding.condition for finding in found.values()} == {READY}
    assert {"index crm-thing-000001", "index crm-thing-000002", "alias crm-thing"} <= found.keys()


def test_settings_that_somebody_changed_are_set_again(opensearch: OpenSearchIndices) -> None:
    serving(opensearch.model)
    opensearch.model.provision()
    opensearch.call("PUT", f"/{opensearch.prefix}-thing-000001/_settings", {"index.max_result_window": 10_000})

    drifted = told(opensearch)["index crm-thing-000001"]

    assert (drifted.condition, drifted.detail) == (DIFFERENT, "It should have index.max_result_window = 10001.")
    assert conditions(opensearch, change=True)["index crm-thing-000001"] is CHANGED
    assert set(conditions(opensearch).values()) == {READY}


def test_a_mapping_that_somebody_changed_cannot_be_mended(opensearch: OpenSearchIndices) -> None:
    serving(opensearch.model)
    opensearch.call("PUT", f"/{opensearch.prefix}-thing-000001/_mapping", {"dynamic": "true"})

    found = told(opensearch, change=True)["index crm-thing-000001"]

    assert (found.condition, "Rebuild thing" in found.detail) == (DIFFERENT, True)


def test_an_index_that_takes_no_writes_is_said(opensearch: OpenSearchIndices) -> None:
    serving(opensearch.model)
    opensearch.call(
        "PUT", f"/{opensearch.prefix}-thing-000001/_settings", {"index.blocks.read_only_allow_delete": True}
    )

    assert "takes no writes" in told(opensearch)["index crm-thing-000001"].detail


@pytest.mark.parametrize("alias", ["", "-000001-serves", "-000001-writes"])
def test_a_lost_alias_is_put_back(opensearch: OpenSearchIndices, alias: str) -> None:
    serving(opensearch.model)
    opensearch.call("DELETE", f"/{opensearch.prefix}-thing-000001/_alias/{opensearch.prefix}-thing{alias}")

    assert conditions(opensearch)["alias crm-thing"] is DIFFERENT
    assert conditions(opensearch, change=True)["alias crm-thing"] is CHANGED
    assert conditions(opensearch)["alias crm-thing"] is READY


def test_a_deleted_index_is_said_and_holds_up_nothing(opensearch: OpenSearchIndices) -> None:
    serving(opensearch.model)
    opensearch.call("DELETE", f"/{opensearch.prefix}-thing-000001")

    found = conditions(opensearch, change=True)

    assert found["index crm-thing-000001"] is MISSING
    assert found["alias crm-thing"] is DIFFERENT


def test_an_index_that_has_the_name_is_said(opensearch: OpenSearchIndices) -> None:
    opensearch.call("PUT", f"/{opensearch.prefix}-thing")
    serving(opensearch.model)

    found = told(opensearch, change=True)["alias crm-thing"]

    assert found.condition is DIFFERENT
    assert "OPENSEARCH_TAKE_OVER" in found.detail


def test_what_an_interrupted_rebuild_left_is_said(
    opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as death:
        death.setattr(Catalogue, "write", die)
        with pytest.raises(DiedError):
            opensearch.model.ensure_serving(a_schema(without="term"), "m0", NOW)
    serving(opensearch.model)

    assert "interrupted rebuild" in told(opensearch)["index crm-thing-000001"].detail


def test_a_stray_write_makes_no_index_that_takes_documents(opensearch: OpenSearchIndices) -> None:
    opensearch.model.provision()

    answer = opensearch.call("POST", f"/{opensearch.prefix}-clients/_doc", {"name": "lost"}, accept=(400,))

    assert answer["error"]["type"] == "strict_dynamic_mapping_exception"
