"""Settings of the indices: what this adapter relies on, and what an operator chooses."""

from dataclasses import dataclass
from typing import Any

from crm_projections.ports.read_model import EXACT_COUNT_LIMIT

REFRESH_INTERVAL = "1s"  # said, because an index without it falls asleep and lets the next search wait
NO_REFRESH = "-1"
# One row more than a page may show tells that more follow.
RESULT_WINDOW = EXACT_COUNT_LIMIT + 1
_MIN_FIELDS = 1_000  # OpenSearch's own limit of an index's fields


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What an operator chooses: shards of a generation, and copies (less than 0: one if there is a second node)."""

    shards: int = 1
    replicas: int = -1

    def of_catalogue(self) -> dict[str, Any]:
        """Return the settings of the list of generations."""
        return {"index": {"number_of_shards": "1", **self._copies()}}

    def of_generation(self, fields: int, *, refreshed: bool) -> dict[str, Any]:
        """Return the settings of a generation's index with so many fields in its mapping."""
        return {
            "index": {
                "number_of_shards": str(self.shards),
                **self._copies(),
                **self.kept(fields),
                "refresh_interval": REFRESH_INTERVAL if refreshed else NO_REFRESH,
            }
        }

    def kept(self, fields: int) -> dict[str, str]:
        """Return the settings that searches and writes rely on for as long as the index lives."""
        # Long texts get their pieces' fields as they come, so there is room for twice as many.
        return {
            "max_result_window": str(RESULT_WINDOW),
            "mapping.total_fields.limit": str(max(_MIN_FIELDS, 2 * fields)),
        }

    def _copies(self) -> dict[str, str]:
        if self.replicas < 0:
            return {"auto_expand_replicas": "0-1"}
        return {"number_of_replicas": str(self.replicas)}
