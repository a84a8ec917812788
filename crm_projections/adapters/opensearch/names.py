"""Names of indices and aliases.

``<prefix>-<entity>-000001`` is the index of a generation. It has the alias ``...-writes`` from its first to its last
moment, and ``...-serves`` while it serves. ``<prefix>-<entity>`` is an alias of the serving one for others to read.
"""

import re
from dataclasses import dataclass

from crm_projections.ports.read_model import ReadModelError

# https://docs.opensearch.org/latest/api-reference/index-apis/create-index/ (index naming restrictions)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
MAX_ID_BYTES = 512


@dataclass(frozen=True, slots=True)
class Names:
    """The names under one prefix."""

    prefix: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.prefix):
            raise ReadModelError(
                f"“{self.prefix}” cannot begin the name of an index. Next: set OPENSEARCH_INDEX_PREFIX to small"
                " letters, digits, - and _, a letter or digit first."
            )

    @property
    def generations(self) -> str:
        """Return the index that lists the generations; no entity can be called so, for its name has a dot."""
        return f"{self.prefix}.generations"

    @property
    def template(self) -> str:
        """Return the name of the index template."""
        return f"{self.prefix}-documents"

    @property
    def pattern(self) -> str:
        """Return what all indices of documents are matched by."""
        return f"{self.prefix}-*"

    def public(self, entity: str) -> str:
        """Return the alias of the serving generation that others read by.

        :raises ReadModelError: the entity's name cannot be part of the name of an index.
        """
        if not _NAME.fullmatch(entity):
            raise ReadModelError(
                f"The entity “{entity}” cannot have an index. Next: give it a name of small letters, digits and _."
            )
        return f"{self.prefix}-{entity}"

    def index(self, entity: str, number: int) -> str:
        """Return the index of a generation."""
        return f"{self.public(entity)}-{number:06d}"

    def writes(self, entity: str, number: int) -> str:
        """Return the alias that is written to: a write to it never makes an index of a generation that is gone."""
        return f"{self.index(entity, number)}-writes"

    def serves(self, entity: str, number: int) -> str:
        """Return the alias that is read by: it is there only while the generation serves."""
        return f"{self.index(entity, number)}-serves"
