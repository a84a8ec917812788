from collections.abc import Iterator

import pytest

from crm_projections.adapters.opensearch import connection
from tests.opensearch import OpenSearchIndices


@pytest.fixture
def opensearch(opensearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSearchIndices]:
    """Return a read model with indices of its own, which does not wait long before it tries again."""
    monkeypatch.setattr(connection, "_FIRST_PAUSE", 0.01)
    indices = OpenSearchIndices(opensearch_url)
    yield indices
    indices.remove()
