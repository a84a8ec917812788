import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crm_mappings.errors import MappingDeclarationError
from crm_mappings.fingerprint import canonical_code
from crm_mappings.registry import all_mappings, mappings_in
from crm_mappings.transforms import identifier

FILE = '''"""Crates."""

from typing import Annotated, Any

from pydantic import Field

from crm_mappings.common import COMMON_FIELDS
from crm_mappings.dto import EntityDto, NameText, Text, Whole
from crm_mappings.mapping import EntityMapping, MappedField
from crm_mappings.schema import FieldKind
from crm_mappings.transforms import integer, refuse, text, transform

LONGEST = 10
UNUSED = 1


def cut(value: str) -> str:
    """Cut it."""
    return value[:LONGEST]


@transform("short text", FieldKind.TEXT)
def short_text(value: Any) -> str:
    """Return the beginning of a text."""
    # Labels are small.
    return cut(str(value))


class Crate(EntityDto):
    """A crate."""

    label: Text | None
    """What is written on it (Label__c)."""
    bottles: Whole | None
    """How many bottles it holds (Bottles__c)."""


MAPPING = EntityMapping(
    source="Crate__c",
    entity="crate",
    dto=Crate,
    fields=(
        *COMMON_FIELDS,
        MappedField.of("label", "Label__c", short_text),
        MappedField.of("bottles", "Bottles__c", integer),
    ),
)
'''
CHANGES = {
    "source object": ('source="Crate__c"', 'source="Box__c"'),
    "entity": ('entity="crate"', 'entity="box"'),
    "source field": ('"Label__c", short', '"Text__c", short'),
    "another source": ('of("label", "Label__c"', 'first_of("label", ("Label__c", "Name")'),
    "transform": ('"Label__c", short_text', '"Label__c", text'),
    "name of a transform": ('"short text"', '"brief text"'),
    "code of a transform": ("cut(str(value))", "cut(str(value).strip())"),
    "function that a transform uses": ("value[:LONGEST]", "value[-LONGEST:]"),
    "constant that a transform uses": ("LONGEST = 10", "LONGEST = 12"),
    "constraint of a field": ("label: Text | None", "label: Annotated[Text, Field(max_length=3)] | None"),
    "text search": ("label: Text", "label: NameText"),
}
NO_CHANGES = {
    "comment": ("# Labels are small.", "# Labels are tiny."),
    "docstring of a transform": ("Return the beginning", "Give the beginning"),
    "type annotation": ("def cut(value: str)", "def cut(value: Any)"),
    "layout": ("    return cut(str(value))", "    return cut(\n        str(value)\n    )"),
    "description of a field": ("How many bottles it holds", "The bottles in it"),
    "constant that nothing uses": ("UNUSED = 1", "UNUSED = 2"),
    "import that nothing uses": ("import integer, refuse, text", "import date, integer, refuse, text"),
}
numbers = itertools.count()


def fingerprint_of(tmp_path: Path, *changes: tuple[str, str]) -> str:
    code = FILE
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    directory = tmp_path / str(next(numbers))
    directory.mkdir()
    (directory / "crate.py").write_text(code)
    [mapping] = mappings_in(directory)
    return mapping.fingerprint


@pytest.mark.parametrize("change", CHANGES)
def test_changes_with(change: str, tmp_path: Path) -> None:
    assert fingerprint_of(tmp_path, CHANGES[change]) != fingerprint_of(tmp_path)


@pytest.mark.parametrize("change", NO_CHANGES)
def test_stays_with_another(change: str, tmp_path: Path) -> None:
    assert fingerprint_of(tmp_path, NO_CHANGES[change]) == fingerprint_of(tmp_path)


def test_reads_the_functions_that_a_transform_uses_of_other_modules() -> None:
    # identifier <- to_18_characters, of another module <- its constant
    assert "_CHECKSUM_ALPHABET: Assign(" in canonical_code(identifier.function)


def test_is_16_hex_characters_and_another_for_every_entity() -> None:
    fingerprints = [mapping.fingerprint for mapping in all_mappings()]
    assert all(re.fullmatch("[0-9a-f]{16}", fingerprint) for fingerprint in fingerprints)
    assert len(set(fingerprints)) == len(fingerprints)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_is_the_same_in_another_process(seed: str) -> None:
    code = "from crm_mappings.registry import all_mappings; print(*[each.fingerprint for each in all_mappings()])"
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [mapping.fingerprint for mapping in all_mappings()]


def test_refuses_a_transform_whose_code_cannot_be_found(tmp_path: Path) -> None:
    nameless = (
        "    return cut(str(value))",
        "    return cut(str(value))\n\n\nshort_text = transform('x', FieldKind.TEXT)(lambda value: value)",
    )
    with pytest.raises(MappingDeclarationError, match="a named function at the top of a module"):
        fingerprint_of(tmp_path, nameless)
