from datetime import UTC, datetime, timedelta

import pytest

from config.console.timeline import origin_words
from config.templatetags.console import ago, duration, record_link, shown
from tests.builders import an_id

NOW = datetime(2026, 11, 23, 14, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0.84, "0.8 s"),
        (59, "59 s"),
        (180, "3 min"),
        (9600, "2 h 40 min"),
        (7200, "2 h"),
        (86_400, "1 day"),
        (1_040_000, "12 days"),
    ],
)
def test_a_duration_has_its_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_time_says_how_long_ago_and_exactly_when() -> None:
    words = ago(NOW - timedelta(minutes=3), NOW)
    assert ">3 min ago<" in words
    assert 'title="Mon 23 Nov 2026, 14:39:00 UTC"' in words


@pytest.mark.parametrize(("value", "words"), [(True, "yes"), (False, "no"), (0, "0"), (["A", "B"], "A, B")])
def test_a_value_is_shown_in_words(value: object, words: str) -> None:
    assert shown(value) == words


@pytest.mark.parametrize("value", [None, "", []])
def test_no_value_is_never_a_blank(value: object) -> None:
    assert "empty" in shown(value)


def test_an_e_mail_breaks_after_its_sign_and_is_escaped() -> None:
    assert shown("<b>@x.example") == "&lt;b&gt;@<wbr>x.example"


@pytest.mark.parametrize("record", ["001*", "<b>", "12"])
def test_what_is_no_record_has_no_link(record: str) -> None:
    assert "href" not in record_link("Account", record)


def test_a_record_has_a_link() -> None:
    assert f'href="/admin/crm_events/record/Account/{an_id()}/"' in record_link("Account", an_id()[:15])


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("com/salesforce/api/soap/66.0;client=SfdcInternalAPI/", "Salesforce screen"),
        ("com/salesforce/api/rest/66.0;client=OrderDesk", "REST API, OrderDesk"),
        ("com/salesforce/api/bulkapi/66.0", "Bulk API"),
        ("com/salesforce/api/toolingrest/66.0;client=x", "toolingrest, x"),
        ("something else", "something else"),
        ("", ""),
    ],
)
def test_an_origin_is_put_into_words(origin: str, words: str) -> None:
    assert origin_words(origin) == words
