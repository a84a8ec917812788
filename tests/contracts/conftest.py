from collections.abc import Iterator

import pytest

from tests.opensearch import OpenSearchIndices


@pytest.fixture(scope="module")
def opensearch_prefix(opensearch_url: str) -> Iterator[str]:
    """Return a prefix that no other module's indices have."""
    indices = OpenSearchIndices(opensearch_url)
    yield indices.prefix
    indices.remove()


@pytest.fixture
def opensearch(opensearch_url: str, opensearch_prefix: str) -> Iterator[OpenSearchIndices]:
    """Return a read model that has no generations."""
    indices = OpenSearchIndices(opensearch_url, opensearch_prefix)
    yield indices
    indices.clear()
