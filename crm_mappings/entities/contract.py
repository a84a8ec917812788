"""Contract: what a client has signed."""

from crm_mappings.common import COMMON_FIELDS
from crm_mappings.dto import EntityDto, IsoDate, LongText, NameText, SalesforceId, Text, Whole
from crm_mappings.mapping import EntityMapping, MappedField
from crm_mappings.transforms import date, identifier, integer, text


class Contract(EntityDto):
    """A contract with a client."""

    client_id: SalesforceId | None
    """The client the contract is with (AccountId)."""
    contract_number: NameText | None
    """The contract's number (ContractNumber)."""
    status: Text | None
    """Where the contract stands (Status)."""
    special_terms: LongText | None
    """Terms that only this contract has (SpecialTerms)."""
    description: LongText | None
    """A description of the contract (Description)."""
    start_date: IsoDate | None
    """The contract's first day (StartDate)."""
    end_date: IsoDate | None
    """The contract's last day (EndDate)."""
    signed_date: IsoDate | None
    """The day the client signed (CustomerSignedDate)."""
    term_months: Whole | None
    """How many months the contract runs (ContractTerm)."""
    billing_country: Text | None
    """The country of the billing address (BillingCountry)."""


MAPPING = EntityMapping(
    source="Contract",
    entity="contract",
    dto=Contract,
    fields=(
        *COMMON_FIELDS,
        MappedField.of("client_id", "AccountId", identifier),
        MappedField.of("contract_number", "ContractNumber", text),
        MappedField.of("status", "Status", text),
        MappedField.of("special_terms", "SpecialTerms", text),
        MappedField.of("description", "Description", text),
        MappedField.of("start_date", "StartDate", date),
        MappedField.of("end_date", "EndDate", date),
        MappedField.of("signed_date", "CustomerSignedDate", date),
        MappedField.of("term_months", "ContractTerm", integer),
        MappedField.of("billing_country", "BillingCountry", text),
    ),
)
