"""The query service that the endpoints call, on the read model that the settings name."""

from crm_mappings.registry import all_mappings
from crm_projections.backends import read_model
from crm_projections.ports.queries import CrmQueryService
from crm_projections.services.queries import ReadModelQueryService


def query_service() -> CrmQueryService:
    """Return the query service."""
    return ReadModelQueryService(read_model(), [mapping.entity for mapping in all_mappings()])
