import pytest

from crm_projections.ports.read_model import ReadModel
from tests.contracts.filters import FilterContract
from tests.contracts.generations import GenerationContract, RaceContract
from tests.contracts.read_model import PageContract, SavingContract, SortContract
from tests.opensearch import OpenSearchIndices


class TestOpenSearchReadModel(
    SavingContract, FilterContract, SortContract, PageContract, GenerationContract, RaceContract
):
    @pytest.fixture
    def model(self, opensearch: OpenSearchIndices) -> ReadModel:
        return opensearch.model
