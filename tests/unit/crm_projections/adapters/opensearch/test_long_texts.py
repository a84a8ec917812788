from hypothesis import given
from hypothesis import strategies as st

from crm_projections.adapters.opensearch.long_texts import (
    MAX_BOUND_BYTES,
    MAX_PART,
    MAX_TERM,
    bound,
    digests,
    first_piece,
    later_pieces,
    windows,
)


def long_texts() -> st.SearchStrategy[str]:
    """Return texts that agree for long, and differ around the ends of pieces."""
    return st.builds(
        lambda length, end: "x" * (length - len(end)) + end,
        st.sampled_from([MAX_TERM - 1, MAX_TERM, MAX_TERM + 1, 2 * MAX_TERM, 2 * MAX_TERM + 5, 3 * MAX_TERM]),
        st.text("xyé", max_size=3),
    )


def test_every_piece_fits_a_term_whatever_its_letters() -> None:
    text = "\U0001f600" * (3 * MAX_TERM)

    pieces = [first_piece(text), *later_pieces(text), *windows(text)]

    assert max(len(piece.encode()) for piece in pieces) <= 32_766


@given(long_texts(), long_texts())
def test_pieces_sort_as_their_texts_do(one: str, other: str) -> None:
    assert ([first_piece(one), *later_pieces(one)] < [first_piece(other), *later_pieces(other)]) == (one < other)


@given(st.integers(0, 3 * MAX_TERM), st.integers(1, MAX_PART))
def test_each_short_part_lies_whole_in_a_window(start: int, length: int) -> None:
    text = "".join(chr(0x4E00 + number % 9_000) for number in range(3 * MAX_TERM + 7))
    part = text[start : start + length]

    assert any(part in window for window in windows(text))


def test_a_short_text_is_its_own_bound() -> None:
    assert bound("Żółw") == "Żółw"


@given(st.text(min_size=200))
def test_a_bound_is_the_longest_beginning_that_fits(text: str) -> None:
    reached = bound(text)

    assert text.startswith(reached)
    assert len(reached.encode()) <= MAX_BOUND_BYTES
    assert reached == text or len(text[: len(reached) + 1].encode()) > MAX_BOUND_BYTES


def test_only_long_texts_have_digests() -> None:
    short, long = "x" * MAX_TERM, "x" * (MAX_TERM + 1)

    assert len(digests([short, long, long + "y"])) == 2
    assert digests([long]) != digests([long + "y"])
