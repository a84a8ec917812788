import difflib
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.record.diffs import apply_diff, is_diff_text

OLD = ["Line one.", "Second paragraph.", "Renewal owner: Dana.", "Tail."]
NEW = ["Line one.", "Second paragraph.", "Renewal owner: Imre.", "Tail."]
HUNK = "@@ -3,1 +3,1 @@\n-Renewal owner: Dana.\n+Renewal owner: Imre."


def a_diff(new: str, hunks: str = HUNK) -> str:
    return f"--- \n+++ {hashlib.sha256(new.encode()).hexdigest()}\n{hunks}"


def hunks_between(old: list[str], new: list[str], context: int) -> str:
    lines = list(difflib.unified_diff(old, new, n=context, lineterm=""))[2:]
    # Salesforce writes counts even when they are 1.
    return "\n".join(re.sub(r"^@@ -(\d+) ", r"@@ -\1,1 ", line) for line in lines)


@pytest.mark.parametrize("separator", ["\r\n", "\n", "\r"])
def test_applies_a_diff_whatever_separates_the_lines(separator: str) -> None:
    assert apply_diff(separator.join(OLD), a_diff(separator.join(NEW))) == separator.join(NEW)


@pytest.mark.parametrize("separator", ["\r\n", "\n", "\r"])
def test_finds_the_separators_of_the_new_text_where_they_changed(separator: str) -> None:
    stored = "\n".join(OLD) if separator != "\n" else "\r\n".join(OLD)
    assert apply_diff(stored, a_diff(separator.join(NEW))) == separator.join(NEW)


def test_keeps_a_mixture_of_separators() -> None:
    old = "Line one.\rSecond paragraph.\r\nRenewal owner: Dana.\nTail."
    new = "One.\rTwo.\r\nThree.\nTail."
    hunk = "@@ -1,3 +1,3 @@\n-Line one.\n-Second paragraph.\n-Renewal owner: Dana.\n+One.\n+Two.\n+Three."
    assert apply_diff(old, a_diff(new, hunk)) == new


def test_a_text_that_has_the_hash_already_stays() -> None:
    assert apply_diff("\n".join(NEW), a_diff("\n".join(NEW))) == "\n".join(NEW)


def test_a_diff_of_another_text_does_not_fit() -> None:
    assert apply_diff("\n".join([*OLD, "More."]), a_diff("\n".join(NEW))) is None


@pytest.mark.parametrize("old", [None, 7, True, ["x"]])
def test_a_diff_needs_a_text_to_apply_to(old: object) -> None:
    assert apply_diff(old, a_diff("\n".join(NEW))) is None


@pytest.mark.parametrize(
    ("hunks", "new"),
    [
        ("@@ -2,1 +2,0 @@\n-Second paragraph.", [OLD[0], *OLD[2:]]),
        ("@@ -2,0 +3,1 @@\n+Between.", [*OLD[:2], "Between.", *OLD[2:]]),
        ("@@ -0,0 +1,1 @@\n+First.", ["First.", *OLD]),
        ("@@ -4,0 +5,2 @@\n+More.\n+", [*OLD, "More.", ""]),
        (
            "@@ -1,1 +1,1 @@\n-Line one.\n+One.\n@@ -4,1 +4,2 @@\n-Tail.\n+Tail\n+end.",
            ["One.", *OLD[1:3], "Tail", "end."],
        ),
        ("@@ -2,3 +2,2 @@\n Second paragraph.\n-Renewal owner: Dana.\n Tail.", [*OLD[:2], OLD[3]]),
        ("@@ -3 +3 @@\n-Renewal owner: Dana.\n+Renewal owner: Imre.", NEW),
        (
            "@@ -4,1 +4,1 @@\n-Tail.\n\\ No newline at end of file\n+End.\n\\ No newline at end of file",
            [*OLD[:3], "End."],
        ),
        ("@@ -3,1 +3,1 @@\r\n-Renewal owner: Dana.\r\n+Renewal owner: Imre.\r\n", NEW),
    ],
    ids=["removal", "insertion", "at-the-top", "at-the-end", "two-hunks", "context", "no-counts", "no-newline", "crlf"],
)
def test_reads_every_kind_of_hunk(hunks: str, new: list[str]) -> None:
    assert apply_diff("\r\n".join(OLD), a_diff("\r\n".join(new), hunks)) == "\r\n".join(new)


def test_reads_an_insertion_counted_from_the_line_it_stands_before() -> None:
    new = [*OLD[:2], "Between.", *OLD[2:]]
    diff = a_diff("\n".join(new), "@@ -3,0 +3,1 @@\n+Between.")
    assert apply_diff("\n".join(OLD), diff) == "\n".join(new)


@pytest.mark.parametrize(
    "hunks",
    [
        "",
        "nonsense",
        "@@ -3,1 +3,1 @@",
        "@@ -3,1 +3,1 @@\n-Renewal owner: Dana.",
        "@@ -3,2 +3,1 @@\n-Renewal owner: Dana.\n+Renewal owner: Imre.",
        "@@ -3,1 +3,1 @@\n-Renewal owner: Dana.\n*Renewal owner: Imre.",
        "@@ -3,1 +3,2 @@\n Renewal owner: Dana.\n Tail.",
        "@@ -99,1 +99,1 @@\n-Renewal owner: Dana.\n+Renewal owner: Imre.",
        "@@ -0,1 +0,1 @@\n-Renewal owner: Dana.\n+Renewal owner: Imre.",
        "@@ -9999999999,1 +1,1 @@\n-x\n+y",
        f"{HUNK}\n@@ -1,1 +1,1 @@\n-Line one.\n+One.",
        f"{HUNK}\nnonsense",
    ],
)
def test_a_garbled_diff_does_not_fit(hunks: str) -> None:
    assert apply_diff("\n".join(OLD), a_diff("\n".join(NEW) + "!", hunks)) is None


@pytest.mark.parametrize("diff", [None, 7, "", "--- \n+++ short\n" + HUNK, HUNK])
def test_what_has_no_hash_is_no_diff(diff: object) -> None:
    assert apply_diff("\n".join(OLD), diff) is None


@pytest.mark.parametrize("head", ["--- \n+++ {}\n", "---\n+++ {}\n", "--- \r\n+++ {}\r\n"])
def test_knows_a_diff_by_its_head(head: str) -> None:
    assert is_diff_text(head.format("a" * 64))


@pytest.mark.parametrize("value", [None, 7, "", "---", "--- \n+++ \n", "x--- \n+++ " + "a" * 64 + "\n", {"diff": "x"}])
def test_other_values_are_no_diffs(value: object) -> None:
    assert not is_diff_text(value)


texts = st.lists(st.text("ab -+@\\é", max_size=4), min_size=1, max_size=12)


@given(texts, texts, st.sampled_from(["\r\n", "\n", "\r"]), st.sampled_from([0, 3]))
def test_any_diff_of_two_texts_gives_the_second(old: list[str], new: list[str], separator: str, context: int) -> None:
    diff = a_diff(separator.join(new), hunks_between(old, new, context))
    assert apply_diff(separator.join(old), diff) == separator.join(new)


@given(st.text(), st.text())
def test_any_text_after_the_head_is_applied_or_does_not_fit(old: str, hunks: str) -> None:
    assert apply_diff(old, a_diff("never this", hunks)) is None


@given(
    st.lists(st.sampled_from(["@@ -1,1 +1,1 @@", "@@ -0,0 +1,1 @@", "-a", "+b", " c", "", "\\ x", "@@"]), max_size=9)
)
def test_any_lines_of_a_diff_are_applied_or_do_not_fit(lines: list[str]) -> None:
    assert apply_diff("a\nc\n", a_diff("never this", "\n".join(lines))) is None
