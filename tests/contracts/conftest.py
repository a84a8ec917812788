from collections.abc import Iterator

import pytest

from tests.opensearch import OpenSearchIndices


@pytest.fixture
def opensearch(opensearch_url: str) -> Iterator[OpenSearchIndices]:
    """Return a read model with indices of its own."""
    indices = OpenSearchIndices(opensearch_url)
    yield indices
    indices.remove()
