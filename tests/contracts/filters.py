"""What every read model must do with filters and words."""

from typing import Any

import pytest

from crm_projections.ports.read_model import Operator, ReadModel
from tests.contracts.documents import a_column, a_document, fill, find

EQ, NE, IN, GT, GTE = Operator.EQ, Operator.NE, Operator.IN, Operator.GT, Operator.GTE
LT, LTE, ISNULL = Operator.LT, Operator.LTE, Operator.ISNULL
CONTAINS, STARTSWITH = Operator.CONTAINS, Operator.STARTSWITH
TIMES = ["2026-10-06T07:20:09.123Z", "2026-10-06T07:20:10.000Z"]


class FilterContract:
    @pytest.mark.parametrize(
        ("field", "values", "condition", "ids"),
        [
            ("name", ["Acme", "ACME", "Bolt", None], (EQ, "Acme"), "1"),
            ("name", ["Acme", "ACME", "Bolt", None], (NE, "Acme"), "234"),
            ("name", ["Acme", "ACME", "Bolt", None], (IN, ("Acme", "Bolt")), "13"),
            ("name", ["Acme", "ACME", "Bolt", None], (IN, ()), ""),
            ("name", ["Acme", "ACME", "Bolt", None], (GT, "acme"), "3"),
            ("name", ["Acme", "ACME", "Bolt", None], (GTE, "Acme"), "123"),
            ("name", ["Acme", "ACME", "Bolt", None], (LT, "bolt"), "12"),
            ("name", ["Acme", "ACME", "Bolt", None], (LTE, "aCME"), "12"),
            ("name", ["Acme", "ACME", "Bolt", None], (CONTAINS, "CM"), "12"),
            ("name", ["Acme", "ACME", "Bolt", None], (STARTSWITH, "aC"), "12"),
            ("name", ["Acme", "ACME", "Bolt", None], (ISNULL, True), "4"),
            ("name", ["Acme", "ACME", "Bolt", None], (ISNULL, False), "123"),
            ("name", ["50%", "500", "5_0", "5\\0"], (CONTAINS, "0%"), "1"),
            ("name", ["50%", "500", "5_0", "5\\0"], (CONTAINS, "_"), "3"),
            ("name", ["50%", "500", "5_0", "5\\0"], (STARTSWITH, "5\\"), "4"),
            ("name", ["Żółw", "ŻÓŁTY", "zolw"], (STARTSWITH, "żół"), "12"),
            ("name", ["Żółw", "ŻÓŁTY", "zolw"], (CONTAINS, "ÓŁ"), "12"),
            ("name", ["a\ud7ff", "a\ue000", "a\U0010ffffb"], (STARTSWITH, "a\ud7ff"), "1"),
            ("name", ["a\ud7ff", "a\ue000", "a\U0010ffffb"], (STARTSWITH, "A\U0010ffff"), "3"),
            ("name", ["a", "ab", None], (STARTSWITH, ""), "12"),
            ("name", ["a", "ab", "b"], (GT, "a\x00z"), "23"),
            ("name", ["a", "ab", "b"], (LT, "ab\x00z"), "12"),
            ("name", ["a", "ab", "b"], (EQ, "a\x00"), ""),
            ("name", ["a", "ab", "b"], (NE, "a\x00"), "123"),
            ("name", ["a", "ab", "b"], (IN, ("a\x00", "b")), "3"),
            ("name", ["a", "ab", "b"], (CONTAINS, "\x00"), ""),
            ("name", ["a", "ab", "b"], (STARTSWITH, "a\x00"), ""),
            ("amount", ["10", "10.0", "9.99", "-3", None], (EQ, "10.00"), "12"),
            ("amount", ["10", "10.0", "9.99", "-3", None], (NE, "10"), "345"),
            ("amount", ["10", "10.0", "9.99", "-3", None], (LT, "10"), "34"),
            ("amount", ["10", "10.0", "9.99", "-3", None], (GTE, "9.99"), "123"),
            ("amount", ["10", "10.0", "9.99", "-3", None], (IN, ("-3.0", "10")), "124"),
            ("amount", ["10", "10.0", "9.99", "-3", None], (CONTAINS, "0.0"), "2"),
            ("amount", ["10", "10.0", "9.99", "-3", None], (STARTSWITH, "10"), "12"),
            ("amount", ["1234567890123456.78901", "1234567890123456.789"], (GT, "1234567890123456.789"), "1"),
            ("term", [2, 10, -1, None], (GT, 2), "2"),
            ("term", [2, 10, -1, None], (LTE, 2), "13"),
            ("term", [2, 10, -1, None], (NE, 2), "234"),
            ("term", [2, 10, -1, None], (IN, (2, -1)), "13"),
            ("term", [2, 10, -1, None], (STARTSWITH, "1"), "2"),
            ("term", [2**62, -(2**62), 0], (EQ, 2**62), "1"),
            ("term", [2**62, -(2**62), 0], (LT, 2**80), "123"),
            ("term", [2**62, -(2**62), 0], (GT, -(2**80)), "123"),
            ("term", [2**62, -(2**62), 0], (EQ, 2**80), ""),
            ("won", [True, False, None], (EQ, False), "2"),
            ("won", [True, False, None], (NE, False), "13"),
            ("won", [True, False, None], (GT, False), "1"),
            ("won", [True, False, None], (CONTAINS, "RU"), "1"),
            ("owner_id", ["005aA", "005AA", None], (EQ, "005aA"), "1"),
            ("owner_id", ["005aA", "005AA", None], (CONTAINS, "aa"), "12"),
            ("owner_id", ["005aA", "005AA", None], (STARTSWITH, "005a"), "12"),
            ("close_date", ["2026-10-06", "2026-11-01", None], (GTE, "2026-11-01"), "2"),
            ("close_date", ["2026-10-06", "2026-11-01", None], (STARTSWITH, "2026-10"), "1"),
            ("seen_at", TIMES, (LT, "2026-10-06T07:20:10.000Z"), "1"),
            ("seen_at", TIMES, (STARTSWITH, "2026-10-06t07:20:1"), "2"),
            ("tags", [["A", "B"], ["B C"], [], None], (EQ, "B"), "1"),
            ("tags", [["A", "B"], ["B C"], [], None], (NE, "B"), "234"),
            ("tags", [["A", "B"], ["B C"], [], None], (IN, ("A", "B C")), "12"),
            ("tags", [["A", "B"], ["B C"], [], None], (ISNULL, True), "4"),
            ("tags", [["A", "B"], ["B C"], [], None], (GT, "A"), ""),
            ("tags", [["a\x1fb"], ["a", "b"], ["a\x1e1b"]], (EQ, "a\x1fb"), "1"),
            ("tags", [["A"], ["a"]], (EQ, "a"), "2"),
            ("notes", ["x", None], (EQ, "x"), ""),
            ("notes", ["x", None], (NE, "x"), "12"),
            ("notes", ["x", None], (ISNULL, True), "12"),
            ("id", [None, None, None], (GT, "1"), "23"),
            ("id", [None, None, None], (IN, ("1", "3")), "13"),
            ("is_deleted", [None, None], (EQ, False), "12"),
        ],
        ids=repr,
    )  # fmt: skip
    def test_filters(
        self, model: ReadModel, field: str, values: list[Any], condition: tuple[Operator, Any], ids: str
    ) -> None:
        fill(model, *(a_column(field, *values) if field not in ("id", "is_deleted") else a_column("name", *values)))

        assert "".join(find(model, (field, *condition))) == ids

    def test_all_filters_must_hold(self, model: ReadModel) -> None:
        fill(model, a_document("1", name="a", term=1), a_document("2", name="a", term=2))

        assert find(model, ("name", EQ, "a"), ("term", EQ, 2)) == ["2"]

    def test_texts_longer_than_any_index_are_compared_to_their_end(self, model: ReadModel) -> None:
        long = "Ź" * 10_000
        fill(model, *a_column("status", long + "a", long + "B", long, long[:400], "ź"))

        assert find(model, ("status", EQ, long)) == ["3"]
        assert find(model, ("status", IN, (long + "B", "x"))) == ["2"]
        assert find(model, ("status", GT, long + "a")) == ["2"]
        assert find(model, ("status", LTE, long)) == ["3", "4", "5"]
        assert find(model, ("status", STARTSWITH, long + "b")) == ["2"]
        assert find(model, ("status", CONTAINS, "źB")) == ["2"]

    @pytest.mark.parametrize(
        ("words", "ids"),
        [
            (["lind"], "13"),
            (["LIND", "mar"], "1"),
            (["qvist"], ""),
            (["marine lindqvist"], "1"),
            (["linda"], "3"),
            (["brien"], "2"),
            (["o'b"], "2"),
            (["straße"], "2"),
            (["éta"], "3"),
            (["eta"], ""),
            (["!"], "123"),
            (["lindqvist", "acme"], ""),
        ],
    )
    def test_every_word_asked_for_begins_a_word_of_a_name(self, model: ReadModel, words: list[str], ids: str) -> None:
        fill(
            model,
            a_document("1", name="Lindqvist Marine AB", status="acme"),
            a_document("2", name="O'Brien", nickname="Straße"),
            a_document("3", name="Étage", nickname="Lind, Linda"),
        )

        assert "".join(find(model, words=words)) == ids

    def test_words_of_an_older_version_find_nothing(self, model: ReadModel) -> None:
        fill(model, a_document(name="Old name"))
        fill(model, a_document(version=2, name="New name"))

        assert find(model, words=["old"]) == []
        assert find(model, words=["new", "name"]) == ["001A"]
