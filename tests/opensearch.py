"""An OpenSearch read model with indices of its own, which are removed after the test."""

from typing import Any
from uuid import uuid4

from crm_projections.adapters.opensearch.connection import Call
from crm_projections.adapters.opensearch.read_model import OpenSearchReadModel


class OpenSearchIndices:
    """A prefix nobody else has, and a read model whose indices have it."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        self.prefix = f"t{uuid4().hex}"
        self.model = OpenSearchReadModel(hosts=[url], index_prefix=self.prefix, **options)

    def another(self, **options: Any) -> OpenSearchReadModel:
        """Return a second read model on the same indices, as another process has one."""
        return OpenSearchReadModel(**{"hosts": [self.url], "index_prefix": self.prefix, **options})

    def call(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        """Make a request past the read model."""
        return self.model._connection.call(Call(method, path, body, params, accept=(404,)))

    def remove(self) -> None:
        """Remove everything that was made under the prefix."""
        self.call("DELETE", f"/{self.prefix}*")
        self.call("DELETE", f"/_index_template/{self.prefix}-documents")
