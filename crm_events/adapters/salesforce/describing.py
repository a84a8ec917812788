"""What objects are made of, kept for some minutes."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from crm_events.adapters.salesforce.calls import Caller
from crm_events.adapters.salesforce.errors import expected_answer
from crm_events.adapters.salesforce.soql import checked_entity
from crm_events.ports.crm_source import FieldDescription, ObjectDescription

# An administrator who adds a field should not wait for long to see it read.
_KEPT_FOR = timedelta(minutes=5).total_seconds()
_COMPOUND_TYPES = {"address", "location"}


class Descriptions:
    """Describe objects with a call now and then."""

    def __init__(self, caller: Caller, monotonic: Callable[[], float]) -> None:
        self._caller = caller
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, ObjectDescription]] = {}

    def of(self, entity: str) -> ObjectDescription:
        """Return what the object is made of."""
        kept = self._kept.get(entity)
        if kept is not None and self._monotonic() < kept[0]:
            return kept[1]
        answer = self._caller.ask(f"sobjects/{checked_entity(entity)}/describe")
        with expected_answer():
            description = describe(entity, answer)
        self._kept[entity] = (self._monotonic() + _KEPT_FOR, description)
        return description


def describe(entity: str, answer: Mapping[str, Any]) -> ObjectDescription:
    """Return the description that an answer to a describe call holds."""
    fields = answer["fields"]
    parents = {field.get("compoundFieldName") for field in fields if field.get("compoundFieldName") != field["name"]}
    return ObjectDescription(
        entity,
        [
            FieldDescription(
                name=field["name"],
                type=field["type"],
                is_compound=_is_compound(entity, field, field["name"] in parents),
                is_calculated=bool(field.get("calculated")),
            )
            for field in fields
        ],
    )


def _is_compound(entity: str, field: Mapping[str, Any], has_components: bool) -> bool:
    """Say whether a field only repeats others.

    The name of a business account is a field of its own, although person accounts give it components.
    """
    if field.get("extraTypeInfo") == "switchablepersonname" or (entity, field["name"]) == ("Account", "Name"):
        return False
    return field["type"] in _COMPOUND_TYPES or has_components
