"""Queries in SOQL, made of names that are known and values that are quoted."""

import re
from collections.abc import Iterable, Sequence

from simple_salesforce.format import quote_soql_value

from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import is_entity_name, normalize_id
from crm_events.ports.crm_source import ObjectDescription, RowQuery, SourceRefusedError

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
# What would not narrow the rows but change the query's shape.
_CLAUSE = re.compile(
    r"\b(?:LIMIT|OFFSET|ORDER\s+BY|GROUP\s+BY|HAVING|FOR\s+(?:VIEW|REFERENCE|UPDATE)|ALL\s+ROWS|USING\s+SCOPE)\b"
    r"|\bWITH\s+(?:SECURITY|USER|SYSTEM|DATA)\w*\b|\bUPDATE\s+(?:TRACKING|VIEWSTAT)\b",
    re.IGNORECASE,
)


def select(query: RowQuery, description: ObjectDescription, ids: Sequence[str] = ()) -> str:
    """Return the statement that reads the query's columns, of the named records if there are any.

    :raises SourceRefusedError: a column is unknown, or the condition cannot stand in a query.
    """
    check_columns(query, description)
    if not query.columns:
        raise SourceRefusedError("INVALID_FIELD", "A query wants at least one column")
    return f"SELECT {','.join(query.columns)} FROM {checked_entity(query.entity)}{_where(query.where, ids)}"  # noqa: S608  # every part is checked


def count(query: RowQuery) -> str:
    """Return the statement that counts the query's rows."""
    return f"SELECT COUNT() FROM {checked_entity(query.entity)}{_where(query.where, ())}"  # noqa: S608  # as above


def check_columns(query: RowQuery, description: ObjectDescription) -> None:
    """Refuse columns the object does not have."""
    known = {field.name for field in description.fields}
    unknown = [name for name in query.columns if name not in known]
    if unknown:
        raise SourceRefusedError(
            "INVALID_FIELD",
            f"{query.entity} has no column {', '.join(unknown[:5])}, or the API user may not see it",
        )


def checked_entity(entity: str) -> str:
    """Return the name of an object.

    :raises SourceRefusedError: it cannot be one.
    """
    if not is_entity_name(entity):
        raise SourceRefusedError("INVALID_TYPE", f"“{entity[:80]}” is no name of an object")
    return entity


def checked_ids(ids: Iterable[str]) -> list[str]:
    """Return the 18-character forms of ids, each once.

    :raises SourceRefusedError: one of them is no id.
    """
    try:
        return list(dict.fromkeys(map(normalize_id, ids)))
    except InvalidIdError as error:
        raise SourceRefusedError("MALFORMED_ID", str(error)) from error


def _where(where: str, ids: Sequence[str]) -> str:
    conditions = []
    if where.strip():
        check_condition(where)
        conditions.append(f"({where.strip()})")
    if ids:
        conditions.append(f"Id IN {quote_soql_value(list(ids))}")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def check_condition(where: str) -> None:
    """Look a condition of operators over: whether it can stand in brackets, and does nothing but choose rows.

    :raises SourceRefusedError: it cannot.
    """
    bare = _QUOTED.sub("''", where)
    if "'" in bare.replace("''", ""):
        raise _malformed("a text has no end", where)
    if not _is_balanced(bare):
        raise _malformed("its brackets do not match", where)
    clause = _CLAUSE.search(bare)
    if clause:
        raise _malformed(f"“{clause[0]}” has no place in it", where)


def _is_balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            return False
    return depth == 0


def _malformed(problem: str, where: str) -> SourceRefusedError:
    return SourceRefusedError("MALFORMED_QUERY", f"The condition cannot be used, {problem}: {where[:200]}")
