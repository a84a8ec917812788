from hypothesis import given
from hypothesis import strategies as st

from crm_projections.adapters.sql.filters import begins_with

TEXTS = st.text("aé\ud7ff\ue000\U0010ffff", max_size=4)


@given(TEXTS, TEXTS)
def test_the_range_of_a_beginning_holds_exactly_the_texts_that_begin_so(beginning: str, text: str) -> None:
    bounds = begins_with("word", beginning).parameters

    is_inside = bounds[0] <= text and (len(bounds) == 1 or text < bounds[1])

    assert is_inside == text.startswith(beginning)
