"""What the API user may see, as programs ask for it: one query about ObjectPermissions, and no other."""

import re
from typing import Any

from crm_events.simulator.org import SimulatedOrg

_QUESTION = re.compile(
    r"SELECT Id FROM ObjectPermissions WHERE SobjectType = '(\w+)' AND PermissionsViewAllRecords = true"
    r" AND ParentId IN \(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '(\w+)'\) LIMIT 1"
)
_PERMISSION_ID = "110Qy0000000001IAA"


def object_permissions(org: SimulatedOrg, text: str, version: str) -> dict[str, Any] | None:
    """Return the answer to the question whether a user sees all records of an object; ``None`` for other queries.

    The API user does, unless one is hidden from it.
    """
    question = _QUESTION.fullmatch(text)
    if question is None:
        return None
    entity, user = question.groups()
    sql = "SELECT count(*) FROM (SELECT 1 FROM records WHERE entity = ? AND hidden LIMIT 1)"
    sees_all = user == org.api_user and not org.store.value(sql, (entity,))
    url = f"/services/data/v{version}/sobjects/ObjectPermissions/{_PERMISSION_ID}"
    record = {"attributes": {"type": "ObjectPermissions", "url": url}, "Id": _PERMISSION_ID}
    return {"totalSize": int(sees_all), "done": True, "records": [record] if sees_all else []}
