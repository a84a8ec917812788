"""Contact: a person at a client."""

from crm_mappings.common import COMMON_FIELDS, PERSON_NAME
from crm_mappings.dto import EntityDto, NameText, SalesforceId, Text
from crm_mappings.mapping import EntityMapping, MappedField
from crm_mappings.transforms import identifier, text


class Contact(EntityDto):
    """A contact: a person at a client."""

    client_id: SalesforceId | None
    """The client the person belongs to (AccountId)."""
    salutation: Text | None
    """How the person is addressed (Salutation)."""
    first_name: NameText | None
    """The person's first name (FirstName)."""
    last_name: NameText | None
    """The person's last name (LastName)."""
    name: NameText | None
    """Salutation, FirstName, MiddleName, LastName and Suffix, joined; or the Name of a full row."""
    email: Text | None
    """The person's email address (Email)."""
    phone: Text | None
    """The person's phone number (Phone)."""
    mobile_phone: Text | None
    """The person's mobile phone number (MobilePhone)."""
    title: Text | None
    """The person's job title (Title)."""
    department: Text | None
    """The person's department (Department)."""
    mailing_city: Text | None
    """The city of the mailing address (MailingCity)."""
    mailing_country: Text | None
    """The country of the mailing address (MailingCountry)."""


MAPPING = EntityMapping(
    source="Contact",
    entity="contact",
    dto=Contact,
    fields=(
        *COMMON_FIELDS,
        MappedField.of("client_id", "AccountId", identifier),
        MappedField.of("salutation", "Salutation", text),
        MappedField.of("first_name", "FirstName", text),
        MappedField.of("last_name", "LastName", text),
        PERSON_NAME,
        MappedField.of("email", "Email", text),
        MappedField.of("phone", "Phone", text),
        MappedField.of("mobile_phone", "MobilePhone", text),
        MappedField.of("title", "Title", text),
        MappedField.of("department", "Department", text),
        MappedField.of("mailing_city", "MailingCity", text),
        MappedField.of("mailing_country", "MailingCountry", text),
    ),
)
