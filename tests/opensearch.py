"""An OpenSearch read model with indices of its own, which are removed after the test."""

from collections.abc import Collection
from typing import Any
from uuid import uuid4

from crm_projections.adapters.opensearch.connection import Call
from crm_projections.adapters.opensearch.read_model import OpenSearchReadModel


class OpenSearchIndices:
    """A prefix nobody else has, and a read model whose indices have it."""

    def __init__(self, url: str, prefix: str = "") -> None:
        self.url = url
        self.prefix = prefix or f"t{uuid4().hex}"
        self.model = OpenSearchReadModel(hosts=[url], index_prefix=self.prefix)

    def another(self, **options: Any) -> OpenSearchReadModel:
        """Return a second read model on the same indices, as another process has one."""
        return OpenSearchReadModel(**{"hosts": [self.url], "index_prefix": self.prefix, **options})

    def call(self, method: str, path: str, body: Any = None, *, accept: Collection[int] = (404,), **params: str) -> Any:
        """Make a request past the read model."""
        return self.model._connection.call(Call(method, path, body, params, accept))

    def indices(self) -> set[str]:
        """Return the indices of documents there are."""
        return set(self.call("GET", f"/{self.prefix}-*/_alias"))

    def holders_of(self, alias: str) -> set[str]:
        """Return the indices that have an alias."""
        return {index for index, found in self.call("GET", f"/_alias/{alias}").items() if alias in found["aliases"]}

    def count_fields(self, entity: str, number: int) -> int:
        """Return how many fields a generation's mapping has, as the engine counts them."""
        index = f"{self.prefix}-{entity}-{number:06d}"
        return _count(self.call("GET", f"/{index}/_mapping")[index]["mappings"])

    def clear(self) -> None:
        """Remove all generations; the list of them stays as an empty index, which is slow to make."""
        self.call("DELETE", f"/{self.prefix}-*")
        listed = f"/{self.prefix}.generations"
        self.call("POST", f"{listed}/_refresh")
        self.call("POST", f"{listed}/_delete_by_query", {"query": {"match_all": {}}})

    def remove(self) -> None:
        """Remove everything that was made under the prefix."""
        self.call("DELETE", f"/{self.prefix}*")
        template = f"/_index_template/{self.prefix}-documents"
        if "index_templates" in self.call("GET", template):
            self.call("DELETE", template)


def _count(mapping: dict[str, Any]) -> int:
    children = [*mapping.get("properties", {}).values(), *mapping.get("fields", {}).values()]
    return len(children) + sum(map(_count, children))
