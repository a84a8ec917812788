"""The org's own addresses below ``/simulator/``: its state, its truth, and what tests and people do to it."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.pace import Pace
from crm_events.simulator.records import Record, to_ms
from crm_events.simulator.relay import Relay
from crm_events.simulator.soql.statement import expression
from crm_events.simulator.switches import UnknownSwitchError
from crm_events.simulator.web.http import Answer, ApiError, Request, json_answer, not_found
from crm_events.simulator.web.rows import record_values
from crm_events.simulator.web.sobjects import object_or_404

_MOST_ROWS = 10_000
_MOST_AT_ONCE = 100_000
_Handler = Callable[..., Answer]


class Control:
    """Steer and watch an org. ``pace`` and ``relay`` may be set later: a test has neither."""

    def __init__(self, org: SimulatedOrg, pace: Pace) -> None:
        self.org = org
        self.pace = pace
        self.relay: Relay | None = None
        # What an act that needs no records does, by its name; the application adds those of its API.
        self.acts: dict[str, Callable[[], object]] = {
            "empty_bin": self._empty_bin,
            "purge_delete_log": self._purge_delete_log,
            "release_feed": org.feed.release,
            "commit_open": pace.life.commit_due,
            "reset_switches": org.switches.reset,
        }
        self._record_acts: dict[str, Callable[[list[Record]], None]] = {
            "delete": org.delete,
            "undelete": org.undelete,
            "hide": lambda records: self._set_hidden(records, hidden=True),
            "show": lambda records: self._set_hidden(records, hidden=False),
            "purge": self._purge,
        }
        self._routes: list[tuple[str, re.Pattern[str], _Handler]] = [
            ("GET", re.compile("state"), lambda _request: json_answer(self.state())),
            ("GET", re.compile("switches"), lambda _request: json_answer(self.org.switches.state())),
            ("POST", re.compile("switches"), self._set_switches),
            ("GET", re.compile("mishaps"), self._mishaps),
            ("GET", re.compile(r"records/(\w+)"), self._records),
            ("GET", re.compile(r"records/(\w+)/(\w+)"), self._record),
            ("POST", re.compile("advance"), self._advance),
            ("POST", re.compile("pace"), self._set_pace),
            ("POST", re.compile("acts"), self._act),
        ]

    def api(self, request: Request, path: str) -> Answer:
        """Answer a call below ``/simulator/api/``."""
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(path.rstrip("/"))
            if match and request.method == method:
                return handler(request, *match.groups())
        raise not_found()

    def state(self) -> dict[str, Any]:
        """Return how the org stands."""
        sql = "SELECT entity, count(*), sum(is_deleted), sum(hidden) FROM records GROUP BY entity ORDER BY entity"
        rows = self.org.store.reader.execute(sql)
        records = {entity: {"rows": n, "deleted": gone, "hidden": hidden} for entity, n, gone, hidden in rows}
        feed = self.org.feed
        return {
            "now": self.org.now().isoformat(),
            "records": records,
            "transactions": self.org.mint.counts["transaction"],
            "per_minute": self.org.commits_in(timedelta(minutes=1)),
            "pace": self.pace.rate,
            "in_flight": len(self.org.in_flight),
            "feed": {
                "waiting": feed.waiting(),
                "oldest_wait_seconds": round(feed.oldest_wait().total_seconds(), 1),
                "sent": feed.sent,
                "trouble": self.relay.trouble if self.relay else "",
            },
            "switches": self.org.switches.state(),
            "mishaps": self.org.mishaps.counts(),
        }

    def do(self, name: str) -> None:
        """Do an act that needs no records.

        :raises ApiError: there is no such act.
        """
        if name not in self.acts:
            raise _bad(f"There is no act {name}; there are {', '.join(sorted(self.acts))}.")
        self.acts[name]()

    def advance(self, count: int) -> None:
        """Let transactions happen now.

        :raises ApiError: that is too many.
        """
        if not 0 < count <= _MOST_AT_ONCE:
            raise _bad(f"The number of transactions must be 1 to {_MOST_AT_ONCE}.")
        self.pace.life.advance(count)

    def set_switch(self, name: str, values: Mapping[str, Any]) -> None:
        """Set a switch.

        :raises ApiError: there is no such switch, or it cannot be set so.
        """
        try:
            self.org.switches.set(name, **values)
        except UnknownSwitchError as error:
            raise _bad(str(error)) from error

    def _set_switches(self, request: Request) -> Answer:
        for name, values in _object(request).items():
            if not isinstance(values, dict):
                raise _bad(f"{name}: wanted an object with chance, times, value or where.")
            self.set_switch(name, values)
        return json_answer(self.org.switches.state())

    def _mishaps(self, request: Request) -> Answer:
        after, limit = _number(request, "after", 0), min(_number(request, "limit", 1_000), _MOST_ROWS)
        return json_answer(self.org.mishaps.after(after, limit))

    def _records(self, request: Request, entity: str) -> Answer:
        """Answer with the truth of an object, in the order of ids: every column, deleted and hidden records too."""
        kind = object_or_404(entity)
        after, limit = request.query.get("after", ""), min(_number(request, "limit", 1_000), _MOST_ROWS)
        found = self.org.store.find("entity = ? AND id > ?", (kind.name, after), f"id LIMIT {limit}")
        return json_answer([self._truth(record) for record in found])

    def _record(self, _request: Request, entity: str, record_id: str) -> Answer:
        record = self.org.record(object_or_404(entity).name, record_id)
        if record is None:
            raise not_found()
        return json_answer(self._truth(record))

    def _truth(self, record: Record) -> dict[str, Any]:
        calculated = {
            column.name: self.org.store.value(
                f"SELECT {expression(column)} FROM records WHERE entity = ? AND id = ?",  # noqa: S608
                (record.entity, record.id),
            )
            for column in record.kind.columns.values()
            if column.is_calculated
        }
        return {"fields": record_values(record, calculated), "hidden": record.hidden}

    def _advance(self, request: Request) -> Answer:
        self.advance(_integer(_object(request).get("transactions", 1)))
        return json_answer(self.state())

    def _set_pace(self, request: Request) -> Answer:
        self.pace.rate = float(_integer(_object(request).get("rate", 0)))
        return json_answer({"rate": self.pace.rate})

    def _act(self, request: Request) -> Answer:
        body = _object(request)
        name = str(body.get("act"))
        if name not in self._record_acts:
            self.do(name)
            return json_answer(self.state())
        entity, ids = object_or_404(str(body.get("entity"))).name, body.get("ids")
        if not isinstance(ids, list):
            raise _bad("ids must be a list of record ids.")
        with self.org.store.writing():
            found = list(self.org.store.get(entity, map(str, ids)).values())
            if found:
                self._record_acts[name](found)
        return json_answer({"records": len(found)})

    def _set_hidden(self, records: list[Record], *, hidden: bool) -> None:
        for record in records:
            record.hidden = hidden
        self.org.store.put(records)

    def _purge(self, records: list[Record]) -> None:
        with self.org.store.writing():
            transaction = self.org.begin()
            transaction.purge(records)
            self.org.commit(transaction)
            for record in records:
                self.org.switches.note("hard_delete", entity=record.entity, records=[record.id])

    def _empty_bin(self) -> None:
        with self.org.store.writing() as connection:
            gone = connection.execute("DELETE FROM records WHERE is_deleted").rowcount
            self.org.switches.note("empty_bin", detail=f"{gone} records")

    def _purge_delete_log(self) -> None:
        self.org.store.remember(deletions_known_since_ms=to_ms(self.org.now()))


def _object(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise _bad("The body must be an object.")
    return body


def _number(request: Request, name: str, default: int) -> int:
    return _integer(request.query.get(name, default))


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise _bad(f"“{value}” is no whole number.") from error


def _bad(message: str) -> ApiError:
    return ApiError(400, "BAD_REQUEST", message)
