import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.cursors import Bookmark, open_cursor, seal_cursor
from crm_projections.ports.queries import Selection
from crm_projections.ports.read_model import Filter, Operator, Sort

BOOKMARK = Bookmark(["1250.50", None, "006Qy0000000001IAA"], 42, count_is_lower_bound=False)
RENEWALS = Filter("name", Operator.CONTAINS, "renewal")
LARGE = Filter("amount", Operator.GT, "1000")
SELECTION = Selection((RENEWALS, LARGE), ("ab",), (Sort("amount", descending=True),))


def test_a_cursor_opens_in_its_own_list() -> None:
    assert open_cursor(seal_cursor(BOOKMARK, "deal", SELECTION), "deal", SELECTION) == BOOKMARK


def test_the_order_of_filters_does_not_matter() -> None:
    turned = Selection((LARGE, RENEWALS), ("ab",), SELECTION.sort)
    assert open_cursor(seal_cursor(BOOKMARK, "deal", SELECTION), "deal", turned) == BOOKMARK


@pytest.mark.parametrize(
    "other",
    [
        Selection((RENEWALS,), ("ab",), SELECTION.sort),
        Selection(SELECTION.filters, ("a",), SELECTION.sort),
        Selection(SELECTION.filters, ("ab",), (Sort("amount"),)),
        Selection(SELECTION.filters, ("ab",), SELECTION.sort, include_deleted=True),
    ],
)
def test_a_cursor_fits_no_other_selection(other: Selection) -> None:
    with pytest.raises(ValueError, match="not ours"):
        open_cursor(seal_cursor(BOOKMARK, "deal", SELECTION), "deal", other)


def test_a_cursor_fits_no_other_entity() -> None:
    with pytest.raises(ValueError, match="not ours"):
        open_cursor(seal_cursor(BOOKMARK, "deal", SELECTION), "lead", SELECTION)


def test_a_position_that_somebody_changed_is_refused() -> None:
    cursor = seal_cursor(BOOKMARK, "deal", SELECTION)
    content = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    content[0][0] = ["no", "number"]
    forged = base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")
    with pytest.raises(ValueError, match="not ours"):
        open_cursor(forged, "deal", SELECTION)


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    assert (
        set("+/=") & set(seal_cursor(Bookmark(["ÿþ?>~" * 9], 1, count_is_lower_bound=False), "deal", SELECTION))
        == set()
    )


@given(st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_other_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whichever of the decoders says so
        open_cursor(text, "deal", SELECTION)
