"""The words in which a read model or a broadcaster refuses what it cannot take."""

from collections.abc import Sequence

from crm_mappings.schema import FieldSpec
from crm_projections.domain.keys import Key, stored_key
from crm_projections.ports.read_model import Document


class UnfitDocumentError(Exception):
    """A document cannot be stored; the text says why, in words for an operator."""


def values_of(document: Document, fields: Sequence[FieldSpec]) -> list[tuple[FieldSpec, object, Key]]:
    """Return each field with its value in the document and the key the value is sorted by.

    ``id`` and ``is_deleted`` are what the document itself says.

    :raises UnfitDocumentError: a value does not fit its field.
    """
    values, found = document.values, []
    for spec in fields:
        value = values.get(spec.name)
        if spec.name == "id":
            value = document.id
        elif spec.name == "is_deleted":
            value = document.is_deleted
        try:
            found.append((spec, value, stored_key(spec.kind, value)))
        except ValueError as error:
            raise UnfitDocumentError(
                f"The field {spec.name} cannot be stored: {error}. Correct the mapping."
            ) from error
    return found


def encode(document: Document, fields: Sequence[FieldSpec]) -> bytes:
    """Return the document's JSON.

    :raises UnfitDocumentError: JSON has no form for one of its values.
    """
    try:
        return document.to_json(fields)
    except TypeError as error:
        raise UnfitDocumentError(f"The document cannot be written as JSON: {error}. Correct the mapping.") from error
