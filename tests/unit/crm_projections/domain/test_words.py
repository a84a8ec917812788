import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_projections.domain.words import MAX_WORD_LENGTH, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Lindqvist Marine AB", ["lindqvist", "marine", "ab"]),
        ("O'Brien & Sons, 2nd-floor", ["o", "brien", "sons", "2nd", "floor"]),
        ("snake_case", ["snake", "case"]),
        ("Śląsk—Żółw", ["śląsk", "żółw"]),
        ("cafe\u0301 société", ["cafe\u0301", "société"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("🚢 Ship", ["ship"]),
        ("...", []),
        ("", []),
    ],
)
def test_texts_fall_into_runs_of_letters_and_digits(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_word_ends_where_the_index_does() -> None:
    assert words_of("x" * 300) == ["x" * MAX_WORD_LENGTH]


@given(st.text())
def test_letter_case_does_not_change_the_words_of_a_plain_text(text: str) -> None:
    plain = text.encode("ascii", "ignore").decode()

    assert words_of(plain.upper()) == words_of(plain.lower())


@given(st.text(), st.text())
def test_texts_apart_have_the_words_of_both(first: str, second: str) -> None:
    assert words_of(f"{first} {second}") == words_of(first) + words_of(second)
