"""All mappings there are: one for every module of ``crm_mappings.entities``, found by being there."""

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Self

from crm_mappings import entities
from crm_mappings.errors import MappingDeclarationError
from crm_mappings.mapping import EntityMapping


class MappingSet:
    """Mappings by source and by entity, each of which occurs once."""

    def __init__(self, mappings: Iterable[EntityMapping]) -> None:
        """Index the mappings.

        :raises MappingDeclarationError: two of them claim the same source or entity, or a fingerprint cannot be made.
        """
        self.by_entity: dict[str, EntityMapping] = {}
        self.by_source: dict[str, EntityMapping] = {}
        for mapping in sorted(mappings, key=lambda each: each.entity):
            for claims, claimed in ((self.by_entity, mapping.entity), (self.by_source, mapping.source)):
                if claimed in claims:
                    raise MappingDeclarationError(
                        f"mapping {mapping.entity} <- {mapping.source}",
                        f"{claimed} already has a mapping, to be found at {claims[claimed].dto.__module__}",
                    )
                claims[claimed] = mapping
            mapping.fingerprint  # noqa: B018  # made now, so that what it cannot read fails at start

    def with_instead(self, mappings: Iterable[EntityMapping]) -> Self:
        """Return the set with these mappings added, in place of those of the same source or entity."""
        added = list(mappings)
        sources, names = {each.source for each in added}, {each.entity for each in added}
        kept = (each for each in self.by_entity.values() if each.source not in sources and each.entity not in names)
        return type(self)([*kept, *added])


def all_mappings() -> tuple[EntityMapping, ...]:
    """Return every mapping, by the name of its entity."""
    return tuple(_current().by_entity.values())


def mapping_for_source(source_object: str) -> EntityMapping | None:
    """Return the mapping of a Salesforce object, or ``None`` if it becomes no entity."""
    return _current().by_source.get(source_object)


def mapping_for_entity(entity: str) -> EntityMapping | None:
    """Return the mapping that makes an entity, or ``None`` if there is no such entity."""
    return _current().by_entity.get(entity)


@contextmanager
def use_mappings(*mappings: EntityMapping) -> Iterator[None]:
    """Add mappings, or put them in place of those of the same source or entity, in all threads; for tests."""
    _replaced.append(_current().with_instead(mappings))
    try:
        yield
    finally:
        _replaced.pop()


def mappings_in(directory: Path) -> tuple[EntityMapping, ...]:
    """Return the mappings of the entity files of another directory; for tests, with ``use_mappings``.

    :raises MappingDeclarationError: a file declares none.
    """
    return tuple(_mapping_of(_import_file(path)) for path in sorted(directory.glob("[!_]*.py")))


_replaced: list[MappingSet] = []


def _current() -> MappingSet:
    return _replaced[-1] if _replaced else _declared()


@cache
def _declared() -> MappingSet:
    found = pkgutil.iter_modules(entities.__path__, f"{entities.__name__}.")
    return MappingSet(_mapping_of(importlib.import_module(module.name)) for module in found)


def _mapping_of(module: ModuleType) -> EntityMapping:
    mapping = getattr(module, "MAPPING", None)
    if not isinstance(mapping, EntityMapping):
        raise MappingDeclarationError(module.__name__, "it must declare an EntityMapping under the name MAPPING")
    return mapping


def _import_file(path: Path) -> ModuleType:
    # A name of its own for every version of a file: Pydantic and fingerprints look modules up by name.
    name = f"{path.stem}_{hashlib.sha256(str(path.resolve()).encode() + path.read_bytes()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise MappingDeclarationError(str(path), "it cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
