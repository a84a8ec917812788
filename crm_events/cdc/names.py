"""One flat name for each field, the one REST uses, so that events and rows of a record meet.

Events nest compound fields (``BillingAddress: {City}``), REST and Bulk have a column for each component
(``BillingCity``). Names and nesting: Change Data Capture guide, "Get Compound Fields"; columns: Object Reference.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

_NAME_PARTS = ("Salutation", "FirstName", "MiddleName", "LastName", "Suffix", "InformalName")
_GEOLOCATION_PARTS = ("Latitude", "Longitude")
_ADDRESS_PARTS = (
    "Street",
    "City",
    "State",
    "StateCode",
    "PostalCode",
    "Country",
    "CountryCode",
    *_GEOLOCATION_PARTS,
    "GeocodeAccuracy",
)


def flat_name(name: str) -> str:
    """Return the REST name of a field as an event names it: ``BillingAddress.City`` becomes ``BillingCity``.

    Children of compounds nobody knows keep their dotted name.
    """
    if "." not in name:
        return name
    parent, _, child = name.partition(".")
    first, more, rest = child.partition(".")
    return _component(parent, first) + more + rest


def _component(parent: str, child: str) -> str:
    if parent in ("Name", "Location"):
        return child
    # A plain ``Address`` has no prefix to leave.
    if parent.endswith("Address"):
        return parent.removesuffix("Address") + child
    if parent.endswith("__c") and child in _ADDRESS_PARTS:
        return f"{parent.removesuffix('__c')}__{child}__s"
    return f"{parent}.{child}"


def is_diff(value: Any) -> bool:
    """Say whether a value is a diff of a long text, ``{"diff": ...}``, and not a compound (cdc_data_diff)."""
    return isinstance(value, dict) and len(value) == 1 and "diff" in value


def is_compound(value: Any) -> bool:
    """Say whether a value nests the components of a compound field."""
    return isinstance(value, dict) and not is_diff(value)


def leaves(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the components of a compound field, by event name (``BillingAddress.City``) and value."""
    for child, member in value.items():
        path = f"{name}.{child}"
        if is_compound(member):
            yield from leaves(path, member)
        else:
            yield path, member


def flatten(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event's body by their flat names."""
    flat: dict[str, Any] = {}
    for name, value in body.items():
        # Looked at here, because most values are texts and a call for each of them would be half the work.
        if not isinstance(value, dict) or is_diff(value):
            flat[name if "." not in name else flat_name(name)] = value
        else:
            flat.update((flat_name(path), leaf) for path, leaf in leaves(name, value))
    return flat


def may_be_compound(name: str) -> bool:
    """Say whether a field without a value goes by the name of a standard compound."""
    return name.endswith("Address") or name == "Location"


def components(name: str, known: Collection[str]) -> list[str]:
    """Return, sorted, which of the ``known`` flat names are components of the compound field ``name``."""
    if name.endswith("Address") and "." not in name:
        # What the rest of this function says, at a tenth of the time: most changes of an account have an address.
        stem = name.removesuffix("Address")
        return sorted([flat for part in _ADDRESS_PARTS if (flat := stem + part) in known])
    prefix = f"{name}."
    standard = {flat_name(prefix + part) for part in _standard_parts(name)}
    return sorted([flat for flat in known if flat in standard or flat.startswith(prefix)])


def _standard_parts(name: str) -> tuple[str, ...]:
    if name == "Name":
        return _NAME_PARTS
    if name == "Location":
        return _GEOLOCATION_PARTS
    return _ADDRESS_PARTS if name.endswith(("Address", "__c")) else ()
