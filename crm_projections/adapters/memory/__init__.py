"""Read model and broadcaster in the memory of one process: for tests, and to compare the others with."""

from crm_projections.adapters.memory.broadcaster import MemoryBroadcaster
from crm_projections.adapters.memory.read_model import MemoryReadModel

__all__ = ["MemoryBroadcaster", "MemoryReadModel"]
