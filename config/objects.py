"""Names of objects as people say them: ours (client) or Salesforce's (Account)."""

from crm_events.domain.errors import CrmError
from crm_events.domain.identifiers import is_entity_name
from crm_mappings.registry import all_mappings, mapping_for_entity


class UnknownNameError(CrmError):
    """The text can be the name of no object."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        known = ", ".join(sorted(mapping.entity for mapping in all_mappings()))
        return f"“{self.name}” is the name of no object. Next: name one of {known}, or a Salesforce object."


def salesforce_object(name: str) -> str:
    """Return the Salesforce object of a mapped entity; any other name is taken for the object's own.

    :raises UnknownNameError: the text can be no name.
    """
    mapping = mapping_for_entity(name)
    if mapping is not None:
        return mapping.source
    if not is_entity_name(name):
        raise UnknownNameError(name)
    return name
