"""Unified diffs, in which Salesforce sends changes of long texts (Change Data Capture guide, cdc_data_diff).

A diff carries the SHA-256 of the whole new text. Its line separators are not told, and neither is which of two
conventions counts the place of an insertion; so every reading is tried until one has the hash.
"""

import hashlib
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

_HEAD = re.compile(r"--- ?\r?\n\+\+\+ ([0-9a-f]{64})\r?(?:\n|$)")
# Nine digits are more than any text has lines, and a bound on what is read as a number.
_HUNK = re.compile(r"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+[0-9]{1,9}(?:,([0-9]{1,9}))? @@.*", re.DOTALL)
_LINE_BREAK = re.compile(r"(\r\n|\n|\r)")
_BREAKS = ("\r\n", "\n", "\r")


class _Line(NamedTuple):
    text: str
    # What ends the line; ``None`` for a new line, whose separator the diff does not tell.
    separator: str | None


class _Hunk(NamedTuple):
    old_start: int
    old_count: int
    # Lines of the new text; a number keeps the old line that stands so far behind the hunk's start.
    new_lines: list[str | int]
    # Which old lines go, by the same numbers, in order.
    removed: list[int]


def is_diff_text(value: Any) -> bool:
    """Say whether a value is a text that begins as a diff of Salesforce does."""
    return isinstance(value, str) and value.startswith("---") and _HEAD.match(value) is not None


def apply_diff(old: Any, diff: Any) -> str | None:
    """Return the new text, or ``None`` where the diff does not fit the old one or is no diff at all.

    A text that already has the diff's hash stays as it is.
    """
    head = _HEAD.match(diff) if isinstance(diff, str) else None
    if head is None or not isinstance(old, str):
        return None
    digest = head.group(1)
    if _sha256(old) == digest:
        return old
    hunks = _parse_hunks(diff[head.end() :])
    if not hunks:
        return None
    return next((text for text in _candidates(old, hunks) if _sha256(text) == digest), None)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _parse_hunks(text: str) -> list[_Hunk] | None:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    hunks = []
    position = 0
    while position < len(lines):
        head = _HUNK.fullmatch(lines[position])
        body = _read_hunk(lines, position + 1, head) if head else None
        if body is None:
            return None
        hunk, position = body
        hunks.append(hunk)
    return hunks


def _read_hunk(lines: list[str], position: int, head: re.Match[str]) -> tuple[_Hunk, int] | None:
    """Read the lines below a hunk's head; return the hunk and where the next one begins."""
    start, old_count, new_count = (1 if number is None else int(number) for number in head.groups())
    new_lines: list[str | int] = []
    removed: list[int] = []
    seen = 0
    while position < len(lines) and not lines[position].startswith("@@"):
        sign, text = lines[position][:1], lines[position][1:]
        if sign == "+":
            new_lines.append(text)
        elif sign == "-":
            removed.append(seen)
            seen += 1
        elif sign == " " or (sign == "" and seen < old_count):
            new_lines.append(seen)
            seen += 1
        elif sign not in ("\\", ""):
            return None
        position += 1
    if seen != old_count or len(new_lines) != new_count:
        return None
    return _Hunk(start, old_count, new_lines, removed), position


def _candidates(old: str, hunks: list[_Hunk]) -> Iterator[str]:
    """Yield the texts that the diff can mean, the likeliest first."""
    old_lines = _split(old)
    own_break = next((line.separator for line in old_lines if line.separator), _BREAKS[0])
    breaks = tuple(dict.fromkeys((own_break, *_BREAKS)))
    # An insertion at line 3 goes behind it by the usual convention, and before it by that of a common Java library.
    offsets = (0, -1) if any(hunk.old_count == 0 for hunk in hunks) else (0,)
    for offset in offsets:
        new_lines = _patched(old_lines, hunks, offset)
        if new_lines is None:
            continue
        for separator in breaks:
            yield _join(new_lines, separator)
        for separator in breaks:
            yield separator.join(line.text for line in new_lines)


def _split(text: str) -> list[_Line]:
    parts = _LINE_BREAK.split(text)
    return [_Line(line, separator) for line, separator in zip_longest(parts[::2], parts[1::2])]


def _patched(old: list[_Line], hunks: list[_Hunk], offset: int) -> list[_Line] | None:
    """Return the new lines, or ``None`` where a hunk lies outside the old text."""
    new: list[_Line] = []
    done = 0
    for hunk in hunks:
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start + offset
        if not done <= start <= start + hunk.old_count <= len(old):
            return None
        new += old[done:start]
        new += _replaced(old[start : start + hunk.old_count], hunk)
        done = start + hunk.old_count
    return new + old[done:]


def _replaced(old: list[_Line], hunk: _Hunk) -> Iterator[_Line]:
    # A line put in place of another takes over what ends it: texts with mixed separators keep their mixture.
    separators = iter([old[place].separator for place in hunk.removed])
    for line in hunk.new_lines:
        yield old[line] if isinstance(line, int) else _Line(line, next(separators, None))


def _join(lines: list[_Line], separator: str) -> str:
    """Return the text whose lines keep the separators they have; where they have none, they get this one."""
    *inner, last = lines or [_Line("", None)]
    return "".join(line.text + (line.separator or separator) for line in inner) + last.text
