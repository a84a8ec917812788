"""The diffs in which Salesforce sends edits of long texts (Change Data Capture guide, cdc_data_diff)."""

import difflib
import hashlib
import re
from dataclasses import dataclass
from typing import Any

# A text of fewer characters is sent whole, and so is one that changed too much.
DIFF_FROM_CHARACTERS = 1_000
_MOST_GROWTH = 0.5
_MOST_LINES_CHANGED = 0.25
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Diff:
    """A change of a long text, sent as a unified diff."""

    text: str


def diff_of(old: Any, new: Any) -> Diff | None:
    """Return the diff in which Salesforce tells of an edit, or ``None`` where it sends the new text."""
    if not isinstance(old, str) or not isinstance(new, str) or min(len(old), len(new)) < DIFF_FROM_CHARACTERS:
        return None
    if abs(len(new) - len(old)) > _MOST_GROWTH * len(old):
        return None
    before, after = _LINE_BREAK.split(old), _LINE_BREAK.split(new)
    lines: list[str] = []
    changed = 0
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        removed, added = before[start:end], after[new_start:new_end]
        changed += len(removed) + len(added)
        # Counts are written even where they are 1; what is inserted goes behind the line that is named.
        lines.append(f"@@ -{start + bool(removed)},{len(removed)} +{new_start + bool(added)},{len(added)} @@")
        lines += [f"-{line}" for line in removed] + [f"+{line}" for line in added]
    text = "\n".join(["--- ", f"+++ {hashlib.sha256(new.encode()).hexdigest()}", *lines])
    fits = changed <= _MOST_LINES_CHANGED * (len(before) + len(after)) and len(text) <= len(new)
    return Diff(text) if lines and fits else None
