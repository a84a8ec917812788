"""Back and Next through pages whose cursors only lead forwards."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlencode

# How far Back leads at most; beyond, it leads to the first page. The trail travels in the address.
_LONGEST_TRAIL = 30
_SEPARATOR = ","


class Steps(NamedTuple):
    """The query strings of the neighbouring pages, ``None`` where there is none."""

    back: str | None
    next: str | None


def steps(query: Mapping[str, str], cursor: str | None, next_cursor: str | None) -> Steps:
    """Return where Back and Next lead from a page; ``query`` holds its filters and its trail.

    The trail names the cursors of the pages before, the newest last; the first page has none.
    """
    kept = {name: value for name, value in query.items() if value and name not in ("cursor", "trail")}
    trail = [unquote(each) for each in query.get("trail", "").split(_SEPARATOR) if each]
    back = None
    if cursor:
        back = _address(kept, trail[-1] if trail else "", trail[:-1])
    onward = [*trail, cursor][-_LONGEST_TRAIL:] if cursor else []
    return Steps(back, _address(kept, next_cursor, onward) if next_cursor else None)


def _address(kept: Mapping[str, str], cursor: str, trail: list[str]) -> str:
    places = {"cursor": cursor, "trail": _SEPARATOR.join(quote(each, safe="") for each in trail)}
    return "?" + urlencode({**kept, **{name: value for name, value in places.items() if value}})
