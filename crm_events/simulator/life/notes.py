"""Long texts that people edit line by line."""

from collections.abc import Sequence
from random import Random

_BREAK = "\r\n"  # what a browser edit leaves
_LINES = 14

_OPENINGS = (
    "Met {who} to go through the catalogue",
    "{who} asks for a quarterly report",
    "Renewal owner is {who}",
    "Call with {who} about the new territory",
    "{who} signs on behalf of the group",
    "Open question from {who} on the split sheets",
    "{who} prefers to be reached in the morning",
    "Workshop with {who} and the licensing team",
)
_CLOSINGS = (
    "and the figures of the last season have to be settled before that.",
    "because the neighbouring rights are still with the former administrator.",
    "as agreed at the annual review; minutes are with the account team.",
    "which depends on the delivery of the metadata for the back catalogue.",
    "once legal has looked at the sub-publishing terms for the region.",
    "unless the pilot of the claims service shows a better way.",
)


def note_line(rng: Random, people: Sequence[str]) -> str:
    """Return one line of an account manager's notes."""
    return f"{rng.choice(_OPENINGS).format(who=rng.choice(people))}, {rng.choice(_CLOSINGS)}"


def long_text(rng: Random, people: Sequence[str]) -> str:
    """Return notes long enough that later edits come as diffs."""
    return _BREAK.join(note_line(rng, people) for _ in range(_LINES))


def edit(rng: Random, text: str, people: Sequence[str]) -> str:
    """Return a text with one line replaced."""
    lines = text.split(_BREAK)
    lines[rng.randrange(len(lines))] = f"{note_line(rng, people)} (revised)"
    return _BREAK.join(lines)
