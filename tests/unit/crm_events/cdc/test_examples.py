"""What parsing makes of each example event; what the fold makes of them is in ``record/test_examples.py``."""

import pytest

from crm_events.cdc import ParsedItem, parse_item, split_body
from crm_events.domain.identifiers import OVERFLOW_ID
from crm_events.domain.order import OrderKey
from tests.builders import ORG_ID
from tests.examples import an_example

A, B, C = "001Qy00000KdT1aIAF", "001Qy00000KdT1bIAF", "001Qy00000KdT1cIAF"
CONTACT = "003Qy00000Lm9XkIAJ"


def parse(name: str, *allowed_orgs: str) -> ParsedItem:
    (item,) = split_body(an_example(name))
    return parse_item(item, "delivery-1", 0, allowed_orgs)


@pytest.mark.parametrize(
    ("name", "event_type", "streams"),
    [
        ("01-", "CREATE", [f"Account#{A}"]),
        ("02-", "UPDATE", [f"Contact#{CONTACT}"]),
        ("03-", "UPDATE", [f"Account#{A}"]),
        ("04-", "UPDATE", [f"Account#{A}"]),
        ("05-", "UPDATE", [f"Account#{A}", f"Account#{B}", f"Account#{C}"]),
        ("06-", "DELETE", [f"Account#{C}"]),
        ("07-", "UNDELETE", [f"Account#{C}"]),
        ("08-", "GAP_CREATE", [f"Account#{B}"]),
        ("09-", "GAP_UPDATE", [f"Account#{A}", f"Account#{B}"]),
        ("10-", "GAP_DELETE", ["Task#00TQy00000Pp1QqIAJ"]),
        ("11-", "GAP_UNDELETE", [f"Contact#{CONTACT}"]),
        ("14-", "UPDATE", ["Work_Order_Line__c#a0BQy00000Wn3LcMAJ"]),
        ("15-", "UPDATE", [f"Account#{A}"]),
        ("15b-", "DELETE", [f"Account#{A}"]),
        ("16a-", "CREATE", [f"Account#{B}"]),
        ("16b-", "CREATE", [f"Contact#{CONTACT}"]),
        ("16c-", "CREATE", ["Opportunity#006Qy00000Rt4VwIAJ"]),
        ("16d-", "UPDATE", ["Lead#00QQy00000Za7NbMAJ"]),
        ("17-", "CREATE", [f"Account#{C}"]),
        ("18-", "UPDATE", [f"Account#{A}"]),
        ("19b-", "UPDATE", [f"Account#{A}"]),
        ("20-", "GAP_UPDATE", [f"Account#{A}"]),
    ],
)
def test_an_example_becomes_the_events_of_its_records(name: str, event_type: str, streams: list[str]) -> None:
    parsed = parse(name)
    assert [str(event.stream) for event in parsed.events] == streams
    assert {event.event_type.value for event in parsed.events} == {event_type}
    assert not parsed.notices
    assert not parsed.failures


@pytest.mark.parametrize(
    ("name", "entity_name", "reason", "record_id"),
    [("12-", "Opportunity", "overflow", OVERFLOW_ID), ("13-", "Account", "wildcard", "001*")],
)
def test_an_example_without_a_record_becomes_a_notice(name: str, entity_name: str, reason: str, record_id: str) -> None:
    parsed = parse(name)
    (notice,) = parsed.notices
    assert (notice.entity_name, notice.reason, notice.record_id) == (entity_name, reason, record_id)
    assert not parsed.events
    assert not parsed.failures


@pytest.mark.parametrize(("name", "code"), [("19-", "raw_bitmaps"), ("21-", "no_header")])
def test_an_example_that_nobody_can_read_becomes_a_failure(name: str, code: str) -> None:
    parsed = parse(name)
    assert [failure.code for failure in parsed.failures] == [code]
    assert not parsed.events
    assert not parsed.notices


def test_the_order_key_of_an_example_is_exact() -> None:
    assert parse("01-").events[0].order_key == OrderKey(1791271205000, 1791271205417203714, 1)


def test_the_four_changes_of_a_lead_conversion_share_a_transaction_and_stay_apart() -> None:
    events = [parse(name).events[0] for name in ("16a-", "16b-", "16c-", "16d-")]
    assert [event.order_key.sequence_number for event in events] == [1, 2, 3, 4]
    assert len({event.event_id for event in events}) == 4


@pytest.mark.parametrize("name", ["01-", "09-", "12-"])
def test_a_relayed_example_tells_its_org(name: str) -> None:
    assert not parse(name, ORG_ID).failures


@pytest.mark.parametrize("name", ["15b-", "18-", "19b-", "20-"])
def test_an_example_without_the_relay_does_not_tell_its_org(name: str) -> None:
    assert parse(name, ORG_ID).failures[0].code == "org_not_allowed"
