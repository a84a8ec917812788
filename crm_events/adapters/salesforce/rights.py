"""Whether the API user may see every record of an object."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simple_salesforce.format import format_soql

from crm_events.adapters.salesforce.calls import Caller
from crm_events.adapters.salesforce.errors import expected_answer
from crm_events.adapters.salesforce.soql import checked_entity
from crm_events.ports.crm_source import SourceAccessError, SourceRefusedError

_KEPT_FOR = timedelta(minutes=5).total_seconds()
# "View All Records" of an object comes with one of the user's permission sets, of which profiles and groups have each
# one of their own; "View All Data" and "Modify All Data" show as it too (Object Reference, ObjectPermissions).
_STATEMENT = (
    "SELECT Id FROM ObjectPermissions WHERE SobjectType = {} AND PermissionsViewAllRecords = true AND ParentId IN "
    "(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {}) LIMIT 1"
)


class Rights:
    """Ask about the API user's rights now and then."""

    def __init__(self, caller: Caller, monotonic: Callable[[], float]) -> None:
        self._caller = caller
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, bool]] = {}
        self._user = ""

    def see_all(self, entity: str) -> bool:
        """Say whether the user sees all; an org that does not tell is one in which it may not."""
        kept = self._kept.get(entity)
        if kept is not None and self._monotonic() < kept[0]:
            return kept[1]
        answer = self._ask(checked_entity(entity))
        self._kept[entity] = (self._monotonic() + _KEPT_FOR, answer)
        return answer

    def _ask(self, entity: str) -> bool:
        self._user = self._user or self._ask_user()
        if not self._user:
            return False
        statement = format_soql(_STATEMENT, entity, self._user)
        try:
            found = self._caller.call(lambda client: client.query(statement))
        except (SourceRefusedError, SourceAccessError):
            return False
        with expected_answer():
            return bool(found["records"])

    def _ask_user(self) -> str:
        resources: dict[str, Any] = self._caller.ask("")
        with expected_answer():
            # Ends in the ids of org and user.
            return str(resources.get("identity", "")).rpartition("/")[2]
