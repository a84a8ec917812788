"""Lead: someone who may become a client."""

from crm_mappings.common import COMMON_FIELDS, PERSON_NAME
from crm_mappings.dto import EntityDto, Flag, IsoDate, NameText, SalesforceId, Text
from crm_mappings.mapping import EntityMapping, MappedField
from crm_mappings.transforms import boolean, date, identifier, text


class Lead(EntityDto):
    """A lead: someone who may become a client."""

    first_name: NameText | None
    """The person's first name (FirstName)."""
    last_name: NameText | None
    """The person's last name (LastName)."""
    name: NameText | None
    """Salutation, FirstName, MiddleName, LastName and Suffix, joined; or the Name of a full row."""
    company: NameText | None
    """The company the person works for (Company)."""
    email: Text | None
    """The person's email address (Email)."""
    phone: Text | None
    """The person's phone number (Phone)."""
    status: Text | None
    """Where the lead stands (Status)."""
    source: Text | None
    """Where the lead came from (LeadSource)."""
    industry: Text | None
    """The industry of the company (Industry)."""
    rating: Text | None
    """How promising the lead is (Rating)."""
    country: Text | None
    """The country of the address (Country)."""
    is_converted: Flag | None
    """Whether the lead became a client (IsConverted)."""
    converted_date: IsoDate | None
    """The day the lead was converted (ConvertedDate)."""
    client_id: SalesforceId | None
    """The client the lead became (ConvertedAccountId)."""
    contact_id: SalesforceId | None
    """The contact the lead became (ConvertedContactId)."""
    deal_id: SalesforceId | None
    """The deal the lead became (ConvertedOpportunityId)."""


MAPPING = EntityMapping(
    source="Lead",
    entity="lead",
    dto=Lead,
    fields=(
        *COMMON_FIELDS,
        MappedField.of("first_name", "FirstName", text),
        MappedField.of("last_name", "LastName", text),
        PERSON_NAME,
        MappedField.of("company", "Company", text),
        MappedField.of("email", "Email", text),
        MappedField.of("phone", "Phone", text),
        MappedField.of("status", "Status", text),
        MappedField.of("source", "LeadSource", text),
        MappedField.of("industry", "Industry", text),
        MappedField.of("rating", "Rating", text),
        MappedField.of("country", "Country", text),
        MappedField.of("is_converted", "IsConverted", boolean),
        MappedField.of("converted_date", "ConvertedDate", date),
        MappedField.of("client_id", "ConvertedAccountId", identifier),
        MappedField.of("contact_id", "ConvertedContactId", identifier),
        MappedField.of("deal_id", "ConvertedOpportunityId", identifier),
    ),
)
