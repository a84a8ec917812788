"""Follow docs/recipes/add-an-entity-type.md to the letter."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_mappings import dto, transforms
from crm_mappings.registry import mapping_for_entity, mapping_for_source, mappings_in, use_mappings
from tests.unit.crm_mappings.builders import a_record

RECIPE = Path(__file__).parents[3] / "docs" / "recipes" / "add-an-entity-type.md"
BLOCKS = re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```", RECIPE.read_text(), re.DOTALL)
TYPE_ROWS = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| `(\w+)` \|", RECIPE.read_text(), re.MULTILINE)


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[None]:
    (name, code), _ = BLOCKS
    (tmp_path / Path(name).name).write_text(code)
    with use_mappings(*mappings_in(tmp_path)):
        yield


def test_the_recipe_writes_one_file_and_its_test() -> None:
    assert [name for name, _ in BLOCKS] == [
        "crm_mappings/entities/work_order_line.py",
        "tests/unit/crm_mappings/entities/test_work_order_line.py",
    ]


@pytest.mark.usefixtures("followed")
def test_the_test_of_the_recipe_passes() -> None:
    _, (_, code) = BLOCKS
    written: dict[str, Any] = {}
    exec(code, written)  # noqa: S102  # the document's own example
    written["test_maps_a_work_order_line"]()


@pytest.mark.usefixtures("followed")
def test_the_file_of_the_recipe_is_found_by_object_and_entity() -> None:
    mapping = mapping_for_entity("work_order_line")
    assert mapping is not None
    assert mapping_for_source("Work_Order_Line__c") is mapping


@pytest.mark.usefixtures("followed")
def test_the_file_of_the_recipe_maps_a_failing_value_to_an_issue() -> None:
    mapping = mapping_for_source("Work_Order_Line__c")
    assert mapping is not None
    mapped = mapping.apply(a_record(Status__c="Done", Due_Date__c="31.12.2026"))
    assert mapped.values["status"] == "Done"
    assert [issue.error for issue in mapped.issues] == ["“31.12.2026” is not a date; wanted 2026-12-31"]


def test_the_recipe_leaves_nothing_behind() -> None:
    assert mapping_for_source("Work_Order_Line__c") is None


def test_the_recipe_lists_every_type_and_transform() -> None:
    listed = {transform for _, transform in TYPE_ROWS}
    assert all(hasattr(dto, name.strip("` ")) for names, _ in TYPE_ROWS for name in names.split(","))
    assert listed == {
        name for name, each in vars(transforms).items() if isinstance(each, transforms.Transform) and name != "verbatim"
    }
