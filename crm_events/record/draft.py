"""The fields of a record while one UPDATE is folded into them."""

from collections.abc import Mapping
from typing import Any

from crm_events.cdc.change import Change
from crm_events.cdc.names import components, flat_name, is_diff, leaves, may_be_compound
from crm_events.record.diffs import apply_diff, is_diff_text

_MISSING = object()


class Draft:
    """A record's fields and the names of those that are unknown, open to change."""

    def __init__(self, fields: Mapping[str, Any], unknown: frozenset[str]) -> None:
        self.fields = dict(fields)
        self.unknown = set(unknown)

    def patch(self, change: Change) -> None:
        """Apply what the change names as changed, and nothing else of its body.

        The rest are enriched values, looked up at delivery and so not part of the change (cdc_enrich), and the nulls
        of the dense shape, which stand for unchanged fields just as well.
        """
        for name in change.changed:
            value = change.body.get(name)
            if type(value) is str and not value.startswith("---") and "." not in name:
                # No diff, no compound: most changes are such, and need none of the looks that others get.
                self.fields[name] = value
                self.unknown.discard(name)
            else:
                self._set(name, _look_up(change.body, name))
        # Last, because a null of the header is certain, whatever stands in the body or is missing there.
        for name in change.nulled:
            self.set_null(name)

    def set_null(self, name: str) -> None:
        """Set a field to null, with all its components if it is a compound."""
        flat = flat_name(name)
        parts = components(name, self.fields)
        self.fields.update(dict.fromkeys(parts))
        if self.unknown:
            self.unknown.difference_update(components(name, self.unknown), [flat])
        # A compound has no column of its own, but ``Name`` is a text on some objects and in every row.
        if name == "Name" or flat in self.fields or not (parts or may_be_compound(name)):
            self.fields[flat] = None

    def _set(self, name: str, value: Any) -> None:
        if value is _MISSING:
            # Hidden from the relay's user by field-level security: it changed, and nobody said to what.
            self.unknown.add(flat_name(name))
        elif value is None:
            self.set_null(name)
        elif isinstance(value, dict):
            self._set_nested(name, value)
        elif is_diff_text(value):
            self._set_diff(name, value)
        else:
            self._set_value(flat_name(name), value)

    def _set_nested(self, name: str, value: Mapping[str, Any]) -> None:
        if is_diff(value):
            self._set_diff(name, value["diff"])
        else:
            self._set_compound(name, value)

    def _set_value(self, flat: str, value: Any) -> None:
        self.fields[flat] = value
        self.unknown.discard(flat)

    def _set_diff(self, name: str, diff: Any) -> None:
        flat = flat_name(name)
        text = apply_diff(self.fields.get(flat), diff)
        if text is None:
            self.unknown.add(flat)
        else:
            self._set_value(flat, text)

    def _set_compound(self, name: str, value: Mapping[str, Any]) -> None:
        """Set the components that came; one that has a value and did not come has changed to nobody knows what."""
        came = set()
        for path, leaf in leaves(name, value):
            self._set(path, leaf)
            came.add(flat_name(path))
        for part in components(name, self.fields):
            if part not in came and self.fields[part] is not None:
                self.unknown.add(part)
        self.unknown.discard(flat_name(name))


def _look_up(body: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field by its name in an event; a null compound gives null for each component."""
    if name in body:
        return body[name]
    parent, dot, child = name.partition(".")
    if not dot:
        return _MISSING
    inner = body.get(parent, _MISSING)
    if inner is None:
        return None
    return _look_up(inner, child) if isinstance(inner, dict) else _MISSING
