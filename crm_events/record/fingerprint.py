"""The name of the code that folds, so that a saved state of other code is never mistaken for its own."""

import hashlib
import inspect
from functools import cache

from crm_events.cdc import change, header, json_text, names, snapshot, times, wire
from crm_events.record import diffs, draft, folding, state

_MODULES = (change, header, json_text, names, snapshot, times, wire, diffs, draft, folding, state)


@cache
def fold_fingerprint() -> str:
    """Return a digest of the source text of everything that takes part in a fold; it changes whenever that does."""
    sources = "\x00".join(inspect.getsource(module) for module in _MODULES)
    return hashlib.sha256(sources.encode()).hexdigest()[:16]
