from decimal import Decimal

import pytest

from crm_events.cdc.times import epoch_ms

MOMENT = 1_791_271_565_000


@pytest.mark.parametrize(
    "value",
    [
        "2026-10-06T07:26:05.000Z",
        "2026-10-06T07:26:05Z",
        "2026-10-06T07:26:05.000+0000",
        "2026-10-06T09:26:05+02:00",
        "2026-10-06T07:26:05",
        MOMENT,
        Decimal(MOMENT),
    ],
)
def test_reads_every_form_of_a_time(value: object) -> None:
    assert epoch_ms(value) == MOMENT


def test_keeps_milliseconds() -> None:
    assert epoch_ms("2026-10-06T07:26:05.123Z") == MOMENT + 123


@pytest.mark.parametrize("value", [None, True, "", "soon", -1, 10**15, Decimal("1e300"), "0001-01-01", ["x"], {}])
def test_anything_else_is_no_time(value: object) -> None:
    assert epoch_ms(value) is None
