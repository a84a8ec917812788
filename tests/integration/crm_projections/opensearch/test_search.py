import pytest

from crm_projections.ports.read_model import EXACT_COUNT_LIMIT, Operator, SearchQuery
from tests.contracts.documents import a_column, a_document, fill, find, ids_of, serving, sorted_ids, sorts
from tests.contracts.read_model import walk
from tests.opensearch import OpenSearchIndices

TERM = 8_191  # characters of a text that one term of an index holds
STARTSWITH, CONTAINS, GT, LTE, EQ, NE = (
    Operator.STARTSWITH,
    Operator.CONTAINS,
    Operator.GT,
    Operator.LTE,
    Operator.EQ,
    Operator.NE,
)


class TestLongTexts:
    TEXTS = (
        "y" * (2 * TERM) + "b",
        "Y" * (2 * TERM) + "A",
        "y" * TERM,
        "y" * (TERM - 1) + "z",
        "y" * (16 * TERM) + "c",
        None,
    )

    @pytest.fixture
    def model(self, opensearch: OpenSearchIndices) -> OpenSearchIndices:
        fill(opensearch.model, *a_column("status", *self.TEXTS))
        return opensearch

    def test_are_sorted_to_their_end(self, model: OpenSearchIndices) -> None:
        assert sorted_ids(model.model, "status") == ["3", "2", "1", "5", "4", "6"]
        assert sorted_ids(model.model, "-status") == ["4", "5", "1", "2", "3", "6"]

    @pytest.mark.parametrize("sort", ["status", "-status"])
    @pytest.mark.parametrize("size", [1, 2])
    def test_are_walked_through(self, model: OpenSearchIndices, sort: str, size: int) -> None:
        assert walk(model.model, size, sort) == sorted_ids(model.model, sort)

    def test_are_compared_to_their_end(self, model: OpenSearchIndices) -> None:
        first = str(self.TEXTS[0])
        assert find(model.model, ("status", EQ, first)) == ["1"]
        assert find(model.model, ("status", NE, first)) == ["2", "3", "4", "5", "6"]
        assert find(model.model, ("status", GT, first)) == ["4", "5"]
        assert find(model.model, ("status", LTE, first)) == ["1", "2", "3"]
        assert find(model.model, ("status", STARTSWITH, first)) == ["1"]

    def test_are_looked_through_to_their_end(self, model: OpenSearchIndices) -> None:
        assert find(model.model, ("status", CONTAINS, "yb")) == ["1"]
        assert find(model.model, ("status", CONTAINS, "YYYA")) == ["2"]
        assert find(model.model, ("status", CONTAINS, "y" * 300 + "b")) == ["1"]
        assert find(model.model, ("status", CONTAINS, "y" * (TERM + 1))) == ["1", "2", "5"]

    def test_are_served_whole(self, model: OpenSearchIndices) -> None:
        assert model.model.get_many("thing", ["5"])["5"].decode()["status"] == self.TEXTS[4]

    def test_members_of_lists_are_found_whole(self, opensearch: OpenSearchIndices) -> None:
        long = "m" * (TERM + 1)
        fill(opensearch.model, *a_column("tags", [long], [long + "x", "a"], ["a"]))

        assert find(opensearch.model, ("tags", EQ, long)) == ["1"]
        assert find(opensearch.model, ("tags", Operator.IN, (long + "x", "b"))) == ["2"]

    def test_amounts_may_be_long_too(self, opensearch: OpenSearchIndices) -> None:
        long = "1" * 9_000
        fill(opensearch.model, *a_column("amount", long + "1", long + "2", "5", long + "1.0"))

        assert find(opensearch.model, ("amount", EQ, long + "1.00")) == ["1", "4"]
        assert find(opensearch.model, ("amount", STARTSWITH, "11")) == ["1", "2", "4"]
        assert find(opensearch.model, ("amount", CONTAINS, "12")) == ["2"]
        assert sorted_ids(opensearch.model, "-amount") == ["2", "1", "4", "3"]


class TestPages:
    def test_the_last_page_by_number_tells_that_more_follow(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, *(a_document(f"{number:05d}") for number in range(EXACT_COUNT_LIMIT + 2)))

        last = opensearch.model.search("thing", SearchQuery(limit=25, offset=EXACT_COUNT_LIMIT - 25))
        rest = opensearch.model.search("thing", SearchQuery(limit=25, after=last.next_position))

        assert ids_of(last)[-1] == "09999"
        assert ids_of(rest) == ["10000", "10001"]
        assert ids_of(opensearch.model.search("thing", SearchQuery(offset=20_000))) == []

    def test_a_scan_shows_one_moment(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, *(a_document(f"{number}") for number in range(6)))
        pages = opensearch.model.scan("thing", 1, page_size=2)
        seen = [document.id for document in next(pages)]
        fill(opensearch.model, a_document("9"), a_document("5", version=2, name="later"))

        rest = [document for page in pages for document in page]

        assert [*seen, *(document.id for document in rest)] == ["0", "1", "2", "3", "4", "5"]
        assert rest[-1].version == 1

    def test_scans_leave_nothing_open(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, *(a_document(f"{number}") for number in range(6)))
        unfinished = opensearch.model.scan("thing", 1, page_size=2)
        next(unfinished)
        list(opensearch.model.scan("thing", 1))
        del unfinished

        stats = opensearch.call("GET", f"/{opensearch.prefix}-thing-000001/_stats/search")
        assert stats["_all"]["total"]["search"]["point_in_time_current"] == 0

    def test_a_page_sorted_by_a_field_no_index_has(self, opensearch: OpenSearchIndices) -> None:
        serving(opensearch.model)
        fill(opensearch.model, a_document("1", name="b"), a_document("2", name="a"))

        found = opensearch.model.search("thing", SearchQuery(sort=sorts("-later", "name"), limit=1))
        rest = opensearch.model.search(
            "thing", SearchQuery(sort=sorts("-later", "name"), limit=1, after=found.next_position)
        )

        assert (ids_of(found), ids_of(rest)) == (["2"], ["1"])
