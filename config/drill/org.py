"""The simulated org of a drill, as seen over its own addresses."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import requests

_TIMEOUT_SECONDS = 120
_PAGE = 1_000
JsonObject = dict[str, Any]


class Org:
    """Set its switches, let transactions happen, and read what its records really say."""

    def __init__(self, url: str) -> None:
        self._api = f"{url}/simulator/api"
        self._session = requests.Session()

    def set_switches(self, settings: Mapping[str, Mapping[str, float]]) -> None:
        """Set switches by name."""
        self._post("switches", dict(settings))

    def act(self, name: str) -> None:
        """Do an act that needs no records, such as ``reset_switches``."""
        self._post("acts", {"act": name})

    def advance(self, transactions: int) -> None:
        """Let transactions happen now."""
        self._post("advance", {"transactions": transactions})

    def state(self) -> JsonObject:
        """Return how the org stands."""
        found: JsonObject = self._get("state")
        return found

    def objects(self) -> list[str]:
        """Return the names of the objects that have records, or had some."""
        return sorted(self.state()["records"])

    def is_quiet(self) -> bool:
        """Say whether no event waits to be sent and no transaction to be committed."""
        state = self.state()
        return bool(state["feed"]["waiting"] == 0 and state["in_flight"] == 0)

    def records(self, entity: str) -> Iterator[JsonObject]:
        """Yield the truth of an object: every column of every record, deleted ones too, in pages."""
        after = ""
        while page := self._get(f"records/{entity}", after=after, limit=_PAGE):
            yield from page
            after = page[-1]["fields"]["Id"]

    def _get(self, path: str, **parameters: Any) -> Any:
        answer = self._session.get(f"{self._api}/{path}", params=parameters, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json(parse_float=Decimal)

    def _post(self, path: str, body: JsonObject) -> Any:
        answer = self._session.post(f"{self._api}/{path}", json=body, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()
