"""Client: an account, business or person."""

from crm_mappings.common import COMMON_FIELDS, PERSON_NAME
from crm_mappings.dto import EntityDto, LongText, NameText, SalesforceId, Text, TextList
from crm_mappings.mapping import EntityMapping, MappedField
from crm_mappings.transforms import identifier, multi_select, text


class Client(EntityDto):
    """A client: an account in Salesforce."""

    name: NameText | None
    """The account's name (Name); of a person account Salutation, FirstName, MiddleName, LastName and Suffix, joined."""
    parent_id: SalesforceId | None
    """The client this one belongs to (ParentId)."""
    business_types: TextList | None
    """What kinds of business the client does (Business_Type__c)."""
    status: Text | None
    """Where the client stands (Account_Status__c)."""
    currency: Text | None
    """The ISO code of the client's currency (CurrencyIsoCode)."""
    billing_country: Text | None
    """The country of the billing address (BillingCountry)."""
    billing_city: Text | None
    """The city of the billing address (BillingCity)."""
    priority: Text | None
    """How important the client is (Account_Priority__c)."""
    sso_id: Text | None
    """The single sign-on id: Orfium_SSO_ID_Comp__c, or Orfium_SSO_ID_SR__c where that is empty."""
    sso_id_c: Text | None
    """The first single sign-on id (Orfium_SSO_ID_Comp__c)."""
    sso_id_r: Text | None
    """The second single sign-on id (Orfium_SSO_ID_SR__c)."""
    industry: Text | None
    """The client's industry (Industry)."""
    phone: Text | None
    """The client's phone number (Phone)."""
    website: Text | None
    """The client's website (Website)."""
    description: LongText | None
    """A description of the client (Description)."""


MAPPING = EntityMapping(
    source="Account",
    entity="client",
    dto=Client,
    fields=(
        *COMMON_FIELDS,
        PERSON_NAME,
        MappedField.of("parent_id", "ParentId", identifier),
        MappedField.of("business_types", "Business_Type__c", multi_select),
        MappedField.of("status", "Account_Status__c", text),
        MappedField.of("currency", "CurrencyIsoCode", text),
        MappedField.of("billing_country", "BillingCountry", text),
        MappedField.of("billing_city", "BillingCity", text),
        MappedField.of("priority", "Account_Priority__c", text),
        MappedField.first_of("sso_id", ("Orfium_SSO_ID_Comp__c", "Orfium_SSO_ID_SR__c"), text),
        MappedField.of("sso_id_c", "Orfium_SSO_ID_Comp__c", text),
        MappedField.of("sso_id_r", "Orfium_SSO_ID_SR__c", text),
        MappedField.of("industry", "Industry", text),
        MappedField.of("phone", "Phone", text),
        MappedField.of("website", "Website", text),
        MappedField.of("description", "Description", text),
    ),
)
