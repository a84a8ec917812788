"""Cursors of walks: opaque texts that hold the place in one list, and fit no other."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.crypto import salted_hmac

from crm_projections.ports.queries import Selection

_SALT = "crm_api.cursors"
# Room for the longest texts that a list can be sorted by; a request line of this length still fits the server.
_MAX_LENGTH = 60_000


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a walk came: the position of its last row, and the count taken at its start."""

    position: Sequence[Any]
    count: int
    count_is_lower_bound: bool


def seal_cursor(bookmark: Bookmark, entity: str, selection: Selection) -> str:
    """Return the cursor of a bookmark in the list of an entity.

    Its seal covers entity, filters, words and sort, so a cursor works in its own list alone, and no reader ever gets
    a position that this service did not write.
    """
    place = [bookmark.position, bookmark.count, bookmark.count_is_lower_bound]
    text = orjson.dumps([*place, _seal(place, entity, selection)])
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def open_cursor(cursor: str, entity: str, selection: Selection) -> Bookmark:
    """Read a cursor back.

    :raises ValueError: this service did not give it for this list.
    """
    if len(cursor) > _MAX_LENGTH:
        raise ValueError("too long")
    try:
        text = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    match orjson.loads(text):
        case [list() as position, int() as count, bool() as is_lower_bound, str() as seal]:
            place = [position, count, is_lower_bound]
            if hmac.compare_digest(seal.encode(), _seal(place, entity, selection).encode()):
                return Bookmark(position, count, is_lower_bound)
    raise ValueError("not ours")


def _seal(place: list[Any], entity: str, selection: Selection) -> str:
    filters = [[item.field, item.operator, item.value] for item in selection.filters]
    sort = [[item.field, item.descending] for item in selection.sort]
    # Filters mean the same in any order; what a walk sorts by does not.
    filters.sort(key=orjson.dumps)
    covered = [place, entity, filters, list(selection.words), sort, selection.include_deleted]
    return salted_hmac(_SALT, orjson.dumps(covered), algorithm="sha256").hexdigest()[:32]
