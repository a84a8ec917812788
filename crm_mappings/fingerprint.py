"""Fingerprints of mappings: a short name for exactly this declaration, these fields and this code.

Code is compared by what it does as far as a parser can see: comments, docstrings, type annotations, decorators and
layout do not count; the functions and constants of this package that it uses do, wherever they stand.
"""

import ast
import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from crm_mappings.errors import MappingDeclarationError

_OUR_PACKAGE = __name__.partition(".")[0]
_DIGITS = 16
# Parts of a syntax tree that do not change what the code does, or that newer versions of Python add.
_IGNORED_PARTS = frozenset({"annotation", "returns", "decorator_list", "type_comment", "type_params", "ctx", "kind"})


class Definition(NamedTuple):
    """The place of a function, class or constant: its module and its name there."""

    module: str
    name: str


def fingerprint_of(
    declaration: Any, dto_schema: Mapping[str, Any], code: Iterable[Sequence[Callable[..., Any]]]
) -> str:
    """Return 16 hex characters of a JSON-ready declaration, a DTO's JSON Schema, and functions in their order.

    :raises MappingDeclarationError: the source of a function cannot be read.
    """
    parts = [
        declaration,
        _without_words(dto_schema),
        [[canonical_code(function) for function in functions] for functions in code],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_DIGITS]


@lru_cache(maxsize=256)
def canonical_code(function: Callable[..., Any]) -> str:
    """Return the code of a function or class and of everything of this package it uses by name, free of layout.

    :raises MappingDeclarationError: its source cannot be read; it must stand at the top of a module.
    """
    start = Definition(function.__module__, function.__qualname__)
    if start.name not in _definitions(_source(start.module)):
        raise MappingDeclarationError(
            f"{start.module}.{start.name}", "it must be a named function at the top of a module"
        )
    found: dict[Definition, str] = {}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        node = _definitions(_source(here.module)).get(here.name)
        if here not in found and node is not None:
            found[here] = "" if isinstance(node, ast.ImportFrom) else "".join(_canonical(node))
            waiting += _used_by(here, node)
    return "\n".join(f"{here.name}: {found[here]}" for here in sorted(found, key=lambda here: (here != start, here)))


def _used_by(here: Definition, node: ast.stmt) -> Iterator[Definition]:
    """Yield what a definition uses of its own module, or where an imported one comes from if that is this package."""
    if isinstance(node, ast.ImportFrom):
        origin = node.module or ""
        names = (alias.name for alias in node.names if here.name in (alias.asname, alias.name))
        yield from (Definition(origin, name) for name in names if origin.partition(".")[0] == _OUR_PACKAGE)
    else:
        known = _definitions(_source(here.module))
        names_used = {each.id for each in _walk(node) if isinstance(each, ast.Name)}
        yield from (Definition(here.module, name) for name in names_used & known.keys())


def _source(module: str) -> str:
    try:
        return inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        raise MappingDeclarationError(
            module, "its source cannot be read, so mappings cannot use its functions"
        ) from None


@lru_cache(maxsize=64)
def _definitions(source: str) -> dict[str, ast.stmt]:
    """Return the statements at the top of a module by the names they define."""
    return {name: node for node in ast.parse(source).body for name in _names_defined_by(node)}


def _names_defined_by(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
        case _:
            return []


def _parts(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for name, value in ast.iter_fields(node):
        if name in _IGNORED_PARTS or value is None or value == []:
            continue
        yield name, [each for each in value if not _is_docstring(each)] if isinstance(value, list) else value


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _walk(node: Any) -> Iterator[ast.AST]:
    if isinstance(node, list):
        for each in node:
            yield from _walk(each)
    elif isinstance(node, ast.AST):
        yield node
        for _, value in _parts(node):
            yield from _walk(value)


def _canonical(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _canonical(each)
            yield ","
    elif isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for name, value in _parts(node):
            yield f"{name}="
            yield from _canonical(value)
            yield ";"
        yield ")"
    else:
        yield repr(node)


def _without_words(schema: Any) -> Any:
    """Return a JSON Schema without titles and descriptions; fields that are called so stay."""
    if isinstance(schema, list):
        return [_without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_words(value)
        for key, value in schema.items()
        if key not in ("title", "description") or not isinstance(value, str)
    }
