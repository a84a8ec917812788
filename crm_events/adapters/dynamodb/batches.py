"""Many items in few calls, and what a call left undone asked for again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from crm_events.adapters.dynamodb.backoff import Backoff
from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.outages import THROTTLED, missing_words, throttled_words
from crm_events.adapters.dynamodb.sizes import item_size
from crm_events.ports.event_store import EventStoreError, EventStoreUnavailableError

Item = dict[str, Any]
_T = TypeVar("_T")
_TRIES = 10
# Limits of BatchGetItem, BatchWriteItem and BatchExecuteStatement (API reference). In bytes the first two take 16 MB;
# for the third no figure is given, and 4 MB keep one answer quick.
_KEYS_PER_CALL, _WRITES_PER_CALL, _STATEMENTS_PER_CALL = 100, 25, 25
_BYTES_PER_CALL: Final = 4_000_000
_NOT_SO: Final = frozenset({"ConditionalCheckFailed", "DuplicateItem"})
_AGAIN: Final = THROTTLED | {"TransactionConflict", "InternalServerError"}


class Statement(NamedTuple):
    """A PartiQL statement that changes one item under a condition; ``{table}`` stands for the table's name."""

    text: str
    parameters: Sequence[Item]


class StatementRefusedError(EventStoreError):
    """DynamoDB does not take a statement as it is; trying again would not help."""


def batch_get(connection: Connection, table: str, keys: Sequence[Item], attributes: str = "") -> list[Item]:
    """Return the items that exist, in any order, as they are now; ``attributes`` names those to fetch."""
    request = {"ConsistentRead": True} | ({"ProjectionExpression": attributes} if attributes else {})

    def get(part: Sequence[Item]) -> list[Item]:
        found: list[Item] = []
        left: Mapping[str, Any] = {table: {"Keys": list(part), **request}}
        backoff = Backoff(_TRIES)
        while True:
            answer = connection.call("batch_get_item", RequestItems=left)
            got = answer["Responses"].get(table, [])
            found += got
            left = answer.get("UnprocessedKeys") or {}
            if not left:
                return found
            # As long as something comes, nobody gives up.
            backoff = Backoff(_TRIES) if got else backoff
            backoff.wait(throttled_words(table))

    parts = [keys[start : start + _KEYS_PER_CALL] for start in range(0, len(keys), _KEYS_PER_CALL)]
    return [item for part in connection.in_parallel(get, parts) for item in part]


def batch_write(connection: Connection, table: str, requests: Sequence[Item]) -> None:
    """Write ``PutRequest`` and ``DeleteRequest``, each of another item, in any order and without a condition."""
    for part in _cut(requests, [item_size(_written(request)) for request in requests], _WRITES_PER_CALL):
        left: Mapping[str, Any] = {table: part}
        backoff = Backoff(_TRIES)
        while left := connection.call("batch_write_item", RequestItems=left).get("UnprocessedItems") or {}:
            backoff.wait(throttled_words(table))


def run_statements(connection: Connection, table: str, statements: Sequence[Statement]) -> list[bool]:
    """Run statements, each about another item, and say for each whether its condition held."""
    requests = [
        {"Statement": statement.text.format(table=f'"{table}"'), "Parameters": list(statement.parameters)}
        for statement in statements
    ]
    sizes = [item_size({str(n): value for n, value in enumerate(s.parameters)}) for s in statements]
    parts = list(_cut(requests, sizes, _STATEMENTS_PER_CALL))
    done = connection.in_parallel(lambda part: _run(connection, table, part), parts)
    return [one for part in done for one in part]


def _run(connection: Connection, table: str, requests: Sequence[Item]) -> list[bool]:
    held = [False] * len(requests)
    waiting = list(range(len(requests)))
    backoff = Backoff(_TRIES)
    while True:
        answer = connection.call("batch_execute_statement", Statements=[requests[place] for place in waiting])
        codes = [_code_of(table, response) for response in answer["Responses"]]
        for place, code in zip(waiting, codes, strict=True):
            held[place] = not code
        waiting = [place for place, code in zip(waiting, codes, strict=True) if code in _AGAIN]
        if not waiting:
            return held
        backoff.wait(throttled_words(table))


def _code_of(table: str, response: Item) -> str:
    error = response.get("Error") or {}
    code = str(error.get("Code", ""))
    if code in {"ResourceNotFound", "ResourceNotFoundException"}:
        raise EventStoreUnavailableError(missing_words(table))
    if code and code not in _NOT_SO and code not in _AGAIN:
        raise StatementRefusedError(table, code, error.get("Message", ""))
    return code


def _written(request: Item) -> Item:
    item: Item = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return item


def _cut(items: Sequence[_T], sizes: Sequence[int], most: int) -> Iterator[list[_T]]:
    part: list[_T] = []
    total = 0
    for item, size in zip(items, sizes, strict=True):
        if part and (len(part) == most or total + size > _BYTES_PER_CALL):
            yield part
            part, total = [], 0
        part.append(item)
        total += size
    if part:
        yield part
