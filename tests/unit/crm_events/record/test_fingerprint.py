import inspect
from types import ModuleType

import pytest

from crm_events.cdc import names
from crm_events.record import diffs, draft, fold_fingerprint, folding, state


def test_is_the_same_on_every_call() -> None:
    assert fold_fingerprint() == fold_fingerprint.__wrapped__()


@pytest.mark.parametrize("module", [names, diffs, draft, folding, state])
def test_changes_with_the_code_that_folds(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fold_fingerprint()

    def edited(asked: ModuleType) -> str:
        return f"edited {asked.__name__}" if asked is module else source(asked)

    source = inspect.getsource
    monkeypatch.setattr("inspect.getsource", edited)
    assert fold_fingerprint.__wrapped__() != before
