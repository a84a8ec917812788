"""The objects of the org: their columns as REST and Bulk have them, and the compounds that events nest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

PERSON_NAME_PARTS = ("Salutation", "FirstName", "MiddleName", "LastName", "Suffix")
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country", "CountryCode")
# Kinds of columns that nobody writes: their types, and whether events carry them.
_READ_ONLY = {
    "rollup": ("double", False),
    "derived": ("date", False),
    "system": ("datetime", True),
    "user": ("reference", True),
}
_WIDE = frozenset({"double", "currency", "percent"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its REST name.

    ``compound`` is the compound field it belongs to, and ``event_name`` how an event names it
    (``BillingAddress.City``). ``in_events`` is false for what no event carries (cdc_message_structure).
    """

    name: str
    type: str
    compound: str = ""
    event_name: str = ""
    is_calculated: bool = False
    is_writable: bool = True
    in_events: bool = True

    @property
    def is_wide_number(self) -> bool:
        """Say whether its numbers may have decimals."""
        return self.type in _WIDE


@dataclass(frozen=True)
class ObjectType:
    """An object: key prefix of its ids, columns in the order of its schema, compounds with their columns."""

    name: str
    prefix: str
    columns: Mapping[str, Column]
    compounds: Mapping[str, str] = field(default_factory=dict)
    required: str = "Name"

    @cached_property
    def by_lower_name(self) -> dict[str, str]:
        """Return the right spelling of every field, compounds included, by its lower case."""
        return {name.lower(): name for name in (*self.columns, *self.compounds)}

    @cached_property
    def by_event_name(self) -> dict[str, Column]:
        """Return columns by the name that events give them."""
        return {column.event_name: column for column in self.columns.values()}

    @cached_property
    def parts(self) -> dict[str, tuple[Column, ...]]:
        """Return the columns of each compound that events nest, person names included."""
        found: dict[str, tuple[Column, ...]] = {}
        for column in self.columns.values():
            if column.compound:
                found[column.compound] = (*found.get(column.compound, ()), column)
        return found

    @cached_property
    def event_columns(self) -> tuple[Column, ...]:
        """Return the columns whose values events carry."""
        return tuple(column for column in self.columns.values() if column.in_events)

    @cached_property
    def has_person_name(self) -> bool:
        """Say whether the object's Name is always that of a person."""
        return "Name" in self.parts and not self.is_switchable

    @property
    def is_switchable(self) -> bool:
        """Say whether a record is a company or a person: an account."""
        return self.name == "Account"

    def nested(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values by column as an event's body: components inside their compound."""
        body: dict[str, Any] = {}
        for name, value in values.items():
            column = self.columns[name]
            if column.compound:
                holder = body.setdefault(column.compound, {})
                holder[column.event_name.partition(".")[2]] = value
            else:
                body[name] = value
        return body


def person_name(fields: Mapping[str, Any]) -> str | None:
    """Return the Name of a person as rows have it: without the salutation (Object Reference, Contact)."""
    parts = (fields.get(part) for part in PERSON_NAME_PARTS[1:])
    return " ".join(str(part) for part in parts if part) or None


def _columns(spec: str) -> Iterator[Column]:
    for word in spec.split():
        name, _, kind = word.partition(":")
        yield from _expanded(name, kind)


def _expanded(name: str, kind: str) -> Iterator[Column]:
    match kind:
        case "address":
            stem = name.removesuffix("Address")
            yield from (_part(f"{stem}{part}", "string", name, part) for part in _ADDRESS_PARTS)
        case "location":
            stem = name.removesuffix("__c")
            yield from (_part(f"{stem}__{part}__s", "double", name, part) for part in ("Latitude", "Longitude"))
        case "person" | "switchable":
            # A person's Name only repeats its parts; a company's is a text of its own.
            is_own = kind == "switchable"
            yield Column("Name", "string", event_name="Name", is_writable=is_own, in_events=is_own)
            yield from (_part(part, "string", "Name", part) for part in PERSON_NAME_PARTS)
        case _ if kind in _READ_ONLY:
            stored, in_events = _READ_ONLY[kind]
            is_calculated = kind == "rollup"
            yield Column(name, stored, "", name, is_calculated, is_writable=False, in_events=in_events)
        case _:
            yield Column(name, kind, event_name=name)


def _part(name: str, kind: str, compound: str, child: str) -> Column:
    return Column(name, kind, compound, f"{compound}.{child}")


def _object(name: str, prefix: str, spec: str, required: str = "Name") -> ObjectType:
    columns = [
        Column("Id", "id", event_name="Id", is_writable=False, in_events=False),
        Column("IsDeleted", "boolean", event_name="IsDeleted", is_writable=False, in_events=False),
        *_columns(f"{spec} {_SYSTEM}"),
        Column("SystemModstamp", "datetime", event_name="SystemModstamp", is_writable=False, in_events=False),
    ]
    words = (word.partition(":") for word in spec.split())
    compounds = {field_name: kind for field_name, _, kind in words if kind in ("address", "location")}
    return ObjectType(name, prefix, {column.name: column for column in columns}, compounds, required)


_SYSTEM = (
    "OwnerId:reference CreatedDate:system CreatedById:user LastModifiedDate:system LastModifiedById:user"
    " LastActivityDate:derived"
)
_OBJECTS = (
    _object(
        "Account",
        "001",
        "Name:switchable ParentId:reference BillingAddress:address Phone:phone Fax:phone Website:url Industry:picklist"
        " Description:textarea Rating:picklist CurrencyIsoCode:picklist RecordTypeId:reference PersonEmail:email"
        " PersonContactId:reference External_Key__c:string Business_Type__c:multipicklist Account_Status__c:picklist"
        " Account_Priority__c:picklist Orfium_SSO_ID_Comp__c:string Orfium_SSO_ID_SR__c:string Review_Date__c:date"
        " Open_Deals__c:rollup",
    ),
    _object(
        "Contact",
        "003",
        "AccountId:reference Name:person MailingAddress:address Phone:phone MobilePhone:phone Email:email Title:string"
        " Department:string IsPersonAccount:boolean",
        required="LastName",
    ),
    _object(
        "Contract",
        "800",
        "AccountId:reference ContractNumber:string Status:picklist StartDate:date EndDate:date ContractTerm:int"
        " CustomerSignedDate:date BillingAddress:address SpecialTerms:textarea Description:textarea",
        required="AccountId",
    ),
    _object(
        "Opportunity",
        "006",
        "AccountId:reference ContractId:reference Name:string Description:textarea StageName:picklist Amount:currency"
        " Probability:percent CloseDate:date Type:picklist NextStep:string LeadSource:picklist IsClosed:boolean"
        " IsWon:boolean ForecastCategoryName:picklist CurrencyIsoCode:picklist",
    ),
    _object(
        "Lead",
        "00Q",
        "Name:person Company:string Address:address Phone:phone Email:email LeadSource:picklist Status:picklist"
        " Industry:picklist Rating:picklist IsConverted:boolean ConvertedDate:date ConvertedAccountId:reference"
        " ConvertedContactId:reference ConvertedOpportunityId:reference",
        required="LastName",
    ),
    _object(
        "Work_Order_Line__c",
        "a0B",
        "Name:string Account__c:reference Status__c:picklist Crew__c:multipicklist Site__c:location Hours__c:double",
    ),
)
OBJECTS: dict[str, ObjectType] = {each.name: each for each in _OBJECTS}
_BY_LOWER_NAME = {name.lower(): kind for name, kind in OBJECTS.items()}
_BY_PREFIX = {kind.prefix: kind for kind in _OBJECTS}


def object_named(name: str) -> ObjectType | None:
    """Return an object by its name in any case."""
    return _BY_LOWER_NAME.get(name.lower())


def object_of(record_id: str) -> ObjectType | None:
    """Return the object whose records have such ids."""
    return _BY_PREFIX.get(record_id[:3])
