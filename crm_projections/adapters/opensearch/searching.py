"""Searches of one generation: a page and its count in one request, more only where a text is longer than a term."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crm_projections.adapters.opensearch.connection import Call, Connection
from crm_projections.adapters.opensearch.filters import Clause, Condition, Doubt, all_of, any_of, conditions_of
from crm_projections.adapters.opensearch.layout import ID, MAPPING, Layout, stored_document
from crm_projections.adapters.opensearch.settings import RESULT_WINDOW
from crm_projections.adapters.opensearch.sorting import Order, may_be_unsorted, order_of
from crm_projections.ports.read_model import EXACT_COUNT_LIMIT, SearchQuery, SearchResult

_DOUBTS_PER_PAGE = 500
_IDS_PER_CLAUSE = 10_000  # OpenSearch takes 65,536 (index.max_terms_count)
_MAPPINGS_PER_PAGE = 1_000
# One page of several shards is the answer of all of them or none.
_PARAMETERS = {"allow_partial_search_results": "false"}


@dataclass(frozen=True, slots=True)
class DocumentSearch:
    """Search by an alias or a name.

    ``copy`` is any text: searches with the same one ask the same copy of a shard, so that a reader does not see
    documents come and go as copies are refreshed one after the other.
    """

    connection: Connection
    alias: str
    copy: str

    def search(self, query: SearchQuery, layout: Layout) -> SearchResult:
        """Return a page and, if asked for, the count.

        :raises InvalidPositionError: the position is none of this order.
        """
        order = order_of(query, layout)
        clause = all_of([self._certain(condition) for condition in conditions_of(query, layout)])
        answer = self._fetch(query, order, clause)
        hits = answer["hits"]["hits"]
        page = hits[: query.limit]
        more = len(hits) > len(page) and bool(page)
        # Before the documents: making one takes its source apart.
        position = order.position_of(page[-1]["_id"], page[-1]["_source"]) if more else None
        count = answer["hits"]["total"]["value"] if query.with_count else None
        return SearchResult(
            documents=[stored_document(hit["_id"], hit["_source"]) for hit in page],
            next_position=position,
            count=None if count is None else min(count, EXACT_COUNT_LIMIT),
            count_is_lower_bound=count is not None and count > EXACT_COUNT_LIMIT,
        )

    def count_by_mapping(self) -> dict[str, int]:
        """Count the documents by mapping, all of them."""
        counts: dict[str, int] = {}
        after: dict[str, Any] = {}
        while True:
            by_mapping = {"size": _MAPPINGS_PER_PAGE, "sources": [{"mapping": {"terms": {"field": MAPPING}}}], **after}
            body = {"size": 0, "track_total_hits": False, "aggs": {"by_mapping": {"composite": by_mapping}}}
            found = self._post(body)["aggregations"]["by_mapping"]
            counts |= {bucket["key"]["mapping"]: bucket["doc_count"] for bucket in found["buckets"]}
            if "after_key" not in found:
                return counts
            after = {"after": found["after_key"]}

    def _fetch(self, query: SearchQuery, order: Order, clause: Clause) -> Any:
        if not order.needs_exact:
            answer = self._post(_body(query, order, clause, exact=False))
            if not may_be_unsorted(answer["hits"]["hits"]):
                return answer
        return self._post(_body(query, order, clause, exact=True))

    def _certain(self, condition: Condition) -> Clause:
        """Return a condition without doubts: documents that may match are looked at, and named if they do."""
        if not isinstance(condition, Doubt):
            return condition
        ids = [hit["_id"] for hit in self._all(condition.possible) if condition.matches(hit["_source"])]
        parts = [ids[start : start + _IDS_PER_CLAUSE] for start in range(0, len(ids), _IDS_PER_CLAUSE)]
        return any_of([condition.certain, *({"terms": {ID: part}} for part in parts)])

    def _all(self, clause: Clause) -> Iterator[dict[str, Any]]:
        body = {"query": clause, "size": _DOUBTS_PER_PAGE, "sort": [{ID: "asc"}], "track_total_hits": False}
        while hits := self._post(body)["hits"]["hits"]:
            yield from hits
            body["search_after"] = hits[-1]["sort"]

    def _post(self, body: dict[str, Any]) -> Any:
        return self.connection.call(
            Call("POST", f"/{self.alias}/_search", body, {**_PARAMETERS, "preference": self.copy})
        )


def _body(query: SearchQuery, order: Order, clause: Clause, *, exact: bool) -> dict[str, Any]:
    after = order.after(exact=exact)
    start = min(query.offset, RESULT_WINDOW) if after is None else 0
    return {
        "query": clause,
        "sort": order.terms(exact=exact),
        "from": start,
        # One more than asked for tells that more follow.
        "size": min(query.limit + 1, RESULT_WINDOW - start),
        # One more than is told tells that there are more.
        "track_total_hits": EXACT_COUNT_LIMIT + 1 if query.with_count else False,
        **({} if after is None else {"search_after": after}),
    }


def hits_in_pages(connection: Connection, index: str, size: int) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield all documents of an index by id as they were at one point in time."""
    opened = connection.call(Call("POST", f"/{index}/_search/point_in_time", params={"keep_alive": "5m"}))
    body: dict[str, Any] = {
        "size": size,
        "sort": [{ID: "asc"}],
        "track_total_hits": False,
        "pit": {"id": opened["pit_id"], "keep_alive": "5m"},
    }
    try:
        while hits := connection.call(Call("POST", "/_search", body, _PARAMETERS))["hits"]["hits"]:
            yield hits
            body["search_after"] = hits[-1]["sort"]
    finally:
        # 404: it ran out by itself.
        close = Call("DELETE", "/_search/point_in_time", {"pit_id": [opened["pit_id"]]}, accept=(404,))
        connection.call(close)
