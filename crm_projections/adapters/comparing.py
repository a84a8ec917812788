"""Comparison of two generations for any read model: a merge of two scans by id."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from crm_projections.ports.read_model import Comparison, Generation, StoredDocument

MAX_EXAMPLES = 10
SAME, DIFFERENT, ONLY_IN_FIRST, ONLY_IN_SECOND = "same", "different", "only_in_first", "only_in_second"

Pages = Iterable[Sequence[StoredDocument]]
Pair = tuple[StoredDocument | None, StoredDocument | None]


def common_fields(first: Generation, second: Generation) -> frozenset[str]:
    """Return the names of the fields that both generations have."""
    return frozenset(spec.name for spec in first.fields) & {spec.name for spec in second.fields}


def compare_scans(first: Pages, second: Pages, fields: frozenset[str]) -> Comparison:
    """Compare two scans in order of id by their values in ``fields`` and by deletion."""
    counts: Counter[str] = Counter()
    examples: dict[str, list[str]] = {DIFFERENT: [], ONLY_IN_FIRST: [], ONLY_IN_SECOND: []}
    for left, right in _pairs(chain.from_iterable(first), chain.from_iterable(second)):
        verdict = _verdict(left, right, fields)
        counts[verdict] += 1
        if verdict != SAME and len(examples[verdict]) < MAX_EXAMPLES:
            examples[verdict].append((left or right).id)  # type: ignore[union-attr]  # one of the two is there
    return Comparison(
        same=counts[SAME],
        different=counts[DIFFERENT],
        only_in_first=counts[ONLY_IN_FIRST],
        only_in_second=counts[ONLY_IN_SECOND],
        examples=examples,
    )


def _pairs(first: Iterator[StoredDocument], second: Iterator[StoredDocument]) -> Iterator[Pair]:
    left, right = next(first, None), next(second, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left.id < right.id):
            yield left, None
            left = next(first, None)
        elif left is None or right.id < left.id:
            yield None, right
            right = next(second, None)
        else:
            yield left, right
            left, right = next(first, None), next(second, None)


def _verdict(left: StoredDocument | None, right: StoredDocument | None, fields: frozenset[str]) -> str:
    if left is None:
        return ONLY_IN_SECOND
    if right is None:
        return ONLY_IN_FIRST
    return SAME if _are_same(left, right, fields) else DIFFERENT


def _are_same(left: StoredDocument, right: StoredDocument, fields: frozenset[str]) -> bool:
    if left.is_deleted != right.is_deleted:
        return False
    if left.body == right.body:
        return True
    ours, theirs = left.decode(), right.decode()
    return all(ours.get(name) == theirs.get(name) for name in fields)
