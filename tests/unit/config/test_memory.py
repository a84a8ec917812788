import gc
from collections.abc import Iterator

import pytest

from config import memory


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_takes_what_is_loaded_out_of_the_collectors_rounds() -> None:
    memory.settle()
    assert gc.get_freeze_count() > 0


def test_still_collects_what_is_made_later() -> None:
    memory.settle()
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.isenabled()
    assert gc.collect() > 0
