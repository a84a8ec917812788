"""Requests as a busy org sends them, without end: new, merged, repeated, late; the same for the same seed."""

import json
from random import Random
from threading import Lock
from typing import Any

from crm_events.domain.identifiers import StreamKey
from tests.builders import TIMESTAMP, a_change, a_stream

_ENTITIES = ("Account", "Contact", "Opportunity", "Lead", "Work_Order_Line__c")
_MAX_ITEMS = 8
_REMEMBERED = 200


class History:
    """Makes one request after the other, for any number of threads."""

    def __init__(self, seed: int, records: int = 12) -> None:
        self._random = Random(seed)  # noqa: S311  # a test's history, the same again for the same seed
        self._streams = [a_stream(n, entity) for n in range(1, records + 1) for entity in _ENTITIES]
        self._known: set[StreamKey] = set()
        self._sent: list[str] = []
        self._held_back: list[str] = []
        self._changes = 0
        self._second = 0
        self._lock = Lock()

    def next_request(self) -> bytes:
        """Return the body of the next request: one event, or an array of some."""
        with self._lock:
            if self._random.random() < 0.4:
                return self._item().encode()
            return f"[{','.join(self._item() for _ in range(self._random.randint(1, _MAX_ITEMS)))}]".encode()

    def _item(self) -> str:
        kind = self._random.random()
        if kind < 0.1 and self._sent:
            return self._random.choice(self._sent[-_REMEMBERED:])
        if kind < 0.2 and self._held_back:
            return self._remembered(self._held_back.pop(0))
        if kind < 0.3:
            self._held_back.append(self._new_event())
        return self._remembered(self._new_event())

    def _remembered(self, text: str) -> str:
        self._sent.append(text)
        return text

    def _new_event(self) -> str:
        self._changes += 1
        self._second += self._random.choice((0, 1, 1, 60))
        stream = self._random.choice(self._streams)
        change_type = self._change_type(stream)
        self._known.add(stream)
        fields = self._fields(stream.entity_name) if change_type in ("CREATE", "UPDATE", "UNDELETE") else {}
        change = a_change(
            change_type,
            fields,
            stream=stream,
            timestamp=TIMESTAMP + self._second * 1000,
            number=TIMESTAMP * 1_000_000 + self._changes,
            ids=self._ids(stream, change_type),
        )
        return json.dumps(change, ensure_ascii=self._random.random() < 0.5)

    def _change_type(self, stream: StreamKey) -> str:
        if stream not in self._known:
            return self._random.choices(("CREATE", "UPDATE", "GAP_CREATE"), (18, 1, 1))[0]
        return self._random.choices(("UPDATE", "DELETE", "UNDELETE", "GAP_UPDATE"), (16, 1, 1, 1))[0]

    def _ids(self, stream: StreamKey, change_type: str) -> list[str]:
        if change_type != "UPDATE" or self._random.random() > 0.15:
            return [stream.entity_id]
        others = [other.entity_id for other in self._streams if other.entity_name == stream.entity_name]
        return self._random.sample(others, self._random.randint(2, 4))

    def _fields(self, entity_name: str) -> dict[str, Any]:
        number = self._changes
        common = {"Description": f"Ändring nr {number}: “\\n”", "LastModifiedDate": None}
        by_entity: dict[str, dict[str, Any]] = {
            "Account": {
                "Name": f"Client {number}",
                "Phone": f"+46 8 {number}",
                "BillingAddress": {"City": f"C{number}"},
            },
            "Contact": {
                "Name": {"FirstName": f"F{number}", "LastName": f"L{number}"},
                "Email": f"c{number}@example.org",
            },
            "Opportunity": {"Name": f"Deal {number}", "StageName": "Prospecting", "Amount": number / 4},
            "Lead": {"Name": {"LastName": f"L{number}"}, "Company": f"Company {number}", "Phone": f"{number}"},
        }
        possible = {**by_entity.get(entity_name, {"Status__c": f"S{number}"}), **common}
        chosen = self._random.sample(sorted(possible), self._random.randint(1, len(possible)))
        return {name: possible[name] for name in chosen}
