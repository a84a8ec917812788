"""Objects and single records: describe, retrieve, collections, and the writes by which people change the org."""

from collections.abc import Iterable, Sequence
from typing import Any

from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record
from crm_events.simulator.schema import OBJECTS, Column, ObjectType, object_named
from crm_events.simulator.web.http import Answer, ApiError, Request, json_answer, not_found
from crm_events.simulator.web.rows import rest_row, selected, values_of

_MOST_IN_COLLECTION = 2_000
_ORIGIN = "com/salesforce/api/rest/{version};client=SimulatedOrg"
# How a column of each type is called on the wire of SOAP, which describe tells beside its own.
_SOAP_TYPES = {"boolean": "boolean", "int": "int", "date": "date", "datetime": "dateTime", "id": "tns:ID"}


class SObjects:
    """Answer for objects and records."""

    def __init__(self, org: SimulatedOrg) -> None:
        self._org = org

    def all(self, version: str) -> Answer:
        """Answer with the objects there are."""
        shown = [_about(kind, version) for kind in OBJECTS.values()]
        return json_answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})

    def describe(self, kind: ObjectType, version: str) -> Answer:
        """Answer with what an object is made of."""
        fields: list[dict[str, Any]] = []
        for column in kind.columns.values():
            compound = kind.compounds.get(column.compound)
            # A compound stands before its first component.
            if compound and not any(field["name"] == column.compound for field in fields):
                fields.append(_compound_field(column.compound, compound))
            fields.append(_field(kind, column))
        return json_answer({**_about(kind, version), "fields": fields})

    def retrieve(self, request: Request, kind: ObjectType, record_id: str, version: str) -> Answer:
        """Answer with a record."""
        names = request.query.get("fields")
        columns = _fields(kind, names.split(",")) if names else [*kind.compounds, *kind.columns]
        record_id = _known_id(record_id)
        row = self._rows(kind, columns, [record_id], include_deleted=True).get(record_id)
        if row is None:
            raise not_found()
        values = values_of(kind, columns, row)
        if values["IsDeleted"]:
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        return json_answer(rest_row(kind, columns, values, version))

    def collection(self, request: Request, kind: ObjectType, version: str) -> Answer:
        """Answer with several records, each at the place of its id, and null for those there are not."""
        if request.method == "GET":
            ids, names = (request.query.get(name, "").split(",") for name in ("ids", "fields"))
        else:
            body = request.json()
            if not isinstance(body, dict) or not all(isinstance(body.get(name), list) for name in ("ids", "fields")):
                raise ApiError(400, "JSON_PARSER_ERROR", "The body needs the lists ids and fields.")
            ids, names = body["ids"], body["fields"]
        if len(ids) > _MOST_IN_COLLECTION:
            message = f"The maximum number of records is {_MOST_IN_COLLECTION}"
            raise ApiError(400, "EXCEEDED_ID_LIMIT", message)
        columns = _fields(kind, names)
        wanted = [_known_id(str(one)) for one in ids]
        found = self._rows(kind, columns, wanted, include_deleted=False)
        return json_answer(
            [
                rest_row(kind, columns, values_of(kind, columns, found[one]), version) if one in found else None
                for one in wanted
            ]
        )

    def create(self, request: Request, kind: ObjectType, version: str) -> Answer:
        """Create a record; a LastName makes an account that of a person."""
        values = _written(kind, request.json())
        required = "LastName" if kind.is_switchable and "LastName" in values else kind.required
        if values.get(required) is None:
            raise ApiError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{required}]", [required])
        with self._org.store.writing():
            transaction = self._org.begin(origin=_ORIGIN.format(version=version))
            record = Record(kind.name, self._org.mint.record_id(kind.name), values)
            if kind.is_switchable and required == "LastName":
                transaction.create_person(record, self._org.mint.record_id("Contact"))
            else:
                transaction.create(record)
            self._org.commit(transaction)
        return json_answer({"id": record.id, "success": True, "errors": []}, 201)

    def update(self, request: Request, kind: ObjectType, record_id: str, version: str) -> Answer:
        """Change a record."""
        values = _written(kind, request.json())
        with self._org.store.writing():
            record = self._present(kind, record_id)
            self._org.change(record, values, origin=_ORIGIN.format(version=version))
        return Answer(204)

    def delete(self, kind: ObjectType, record_id: str, version: str) -> Answer:
        """Move a record into the recycle bin."""
        with self._org.store.writing():
            record = self._present(kind, record_id)
            self._org.delete([record], origin=_ORIGIN.format(version=version))
        return Answer(204)

    def _present(self, kind: ObjectType, record_id: str) -> Record:
        record = self._org.record(kind.name, _known_id(record_id))
        if record is None or record.hidden:
            raise not_found()
        if record.is_deleted:
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        if self._org.is_locked(record.id):
            message = "unable to obtain exclusive access to this record or 1 records: " + record.id
            raise ApiError(400, "UNABLE_TO_LOCK_ROW", message, [])
        return record

    def _rows(
        self, kind: ObjectType, columns: Iterable[str], ids: Sequence[str], *, include_deleted: bool
    ) -> dict[str, Sequence[Any]]:
        marks = ", ".join("?" * len(ids))
        deleted = "" if include_deleted else " AND NOT is_deleted"
        sql = (
            f"SELECT {selected(kind, columns)} FROM records"  # noqa: S608
            f" WHERE entity = ? AND id IN ({marks}) AND NOT hidden{deleted}"
        )
        return {row[0]: row for row in self._org.store.reader.execute(sql, (kind.name, *ids))}


def object_or_404(name: str) -> ObjectType:
    """Return an object by its name.

    :raises ApiError: there is none.
    """
    kind = object_named(name)
    if kind is None:
        raise not_found()
    return kind


def _known_id(record_id: str) -> str:
    try:
        return normalize_id(record_id)
    except InvalidIdError as error:
        raise ApiError(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible") from error


def _fields(kind: ObjectType, names: Iterable[str]) -> list[str]:
    columns = []
    for name in names:
        found = kind.by_lower_name.get(str(name).lower())
        if found is None:
            raise ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}", [str(name)])
        columns.append(found)
    return columns


def _written(kind: ObjectType, body: Any) -> dict[str, Any]:
    """Return the columns of a body that somebody writes."""
    if not isinstance(body, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "The body must be an object.")
    values = {}
    for name, value in body.items():
        if name == "attributes":
            continue
        (column_name,) = _fields(kind, [name])
        column = kind.columns.get(column_name)
        if column is None or not column.is_writable:
            message = f"Unable to create/update fields: {column_name}. Please check the security settings of this field"
            raise ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, [column_name])
        values[column_name] = _checked(column, value)
    return values


def _checked(column: Column, value: Any) -> Any:
    """Return a value as the store keeps it: Salesforce has no empty and no untrimmed texts."""
    if isinstance(value, str):
        value = value.strip() or None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    wants_number = column.is_wide_number or column.type == "int"
    wants_boolean = column.type == "boolean"
    fits = is_number if wants_number else isinstance(value, bool) if wants_boolean else isinstance(value, str)
    if value is not None and not fits:
        raise ApiError(400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {column.type} from {value!r}")
    return value


def _about(kind: ObjectType, version: str) -> dict[str, Any]:
    base = f"/services/data/v{version}/sobjects/{kind.name}"
    return {
        "name": kind.name,
        "label": kind.name,
        "keyPrefix": kind.prefix,
        "custom": kind.name.endswith("__c"),
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "createable": True,
        "updateable": True,
        "deletable": True,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }


def _field(kind: ObjectType, column: Column) -> dict[str, Any]:
    # Of a person account's Name, components name it as their compound, though a company's is a text of its own.
    name_kind = "switchablepersonname" if kind.is_switchable else "personname"
    is_name = column.name == "Name" and "Name" in kind.parts
    return {
        **_common(column.name, column.type),
        "calculated": column.is_calculated,
        "compoundFieldName": column.compound or None,
        "createable": column.is_writable,
        "updateable": column.is_writable,
        "filterable": column.type != "textarea",
        "extraTypeInfo": name_kind if is_name else "plaintextarea" if column.type == "textarea" else None,
        "nameField": column.name == "Name",
        "nillable": column.is_writable and column.type != "boolean",
    }


def _compound_field(name: str, compound: str) -> dict[str, Any]:
    no = dict.fromkeys(("calculated", "createable", "updateable", "filterable", "nameField"), False)
    return {**_common(name, compound), **no, "compoundFieldName": None, "extraTypeInfo": None, "nillable": True}


def _common(name: str, kind: str) -> dict[str, Any]:
    soap = _SOAP_TYPES.get(kind, "double" if kind in ("double", "currency", "percent") else "string")
    return {
        "name": name,
        "label": name.removesuffix("__c").replace("_", " "),
        "type": kind,
        "custom": name.endswith(("__c", "__s")),
        "soapType": soap if ":" in soap else f"xsd:{soap}",
    }
