import pytest

from crm_projections.adapters.memory import MemoryReadModel
from crm_projections.adapters.sql.read_model import SQLReadModel
from crm_projections.ports.read_model import ReadModel
from tests.contracts.filters import FilterContract
from tests.contracts.generations import GenerationContract, RaceContract
from tests.contracts.read_model import PageContract, SavingContract, SortContract


class ReadModelContract(SavingContract, FilterContract, SortContract, PageContract, GenerationContract):
    pass


class TestMemoryReadModel(ReadModelContract, RaceContract):
    @pytest.fixture
    def model(self) -> ReadModel:
        return MemoryReadModel()


@pytest.mark.django_db
class TestSQLReadModel(ReadModelContract):
    @pytest.fixture
    def model(self, sql_alias: str) -> ReadModel:
        return SQLReadModel(using=sql_alias)


# Threads have connections of their own, which see only what is committed.
@pytest.mark.django_db(transaction=True)
class TestSQLReadModelRaces(RaceContract):
    @pytest.fixture
    def model(self, sql_alias: str) -> ReadModel:
        return SQLReadModel(using=sql_alias)
