"""Deal: an opportunity to sell."""

from crm_mappings.common import COMMON_FIELDS
from crm_mappings.dto import DecimalText, EntityDto, Flag, IsoDate, LongText, NameText, SalesforceId, Text
from crm_mappings.mapping import EntityMapping, MappedField
from crm_mappings.transforms import boolean, date, decimal, identifier, text


class Deal(EntityDto):
    """A deal: an opportunity in Salesforce."""

    client_id: SalesforceId | None
    """The client the deal is with (AccountId)."""
    contract_id: SalesforceId | None
    """The contract the deal belongs to (ContractId)."""
    name: NameText | None
    """The deal's name (Name)."""
    stage: Text | None
    """The stage of the sale (StageName)."""
    type: Text | None
    """The type of the deal (Type)."""
    lead_source: Text | None
    """Where the deal came from (LeadSource)."""
    next_step: Text | None
    """What is to be done next (NextStep)."""
    forecast_category: Text | None
    """The category the deal has in forecasts (ForecastCategoryName)."""
    currency: Text | None
    """The ISO code of the currency of the amount (CurrencyIsoCode)."""
    description: LongText | None
    """A description of the deal (Description)."""
    amount: DecimalText | None
    """What the deal is worth, with the digits Salesforce sent (Amount)."""
    probability: DecimalText | None
    """How likely the deal is to be won, in percent: 10 is 10 % (Probability)."""
    close_date: IsoDate | None
    """The day the deal is expected to close, or closed (CloseDate)."""
    is_closed: Flag | None
    """Whether the deal is closed (IsClosed)."""
    is_won: Flag | None
    """Whether the deal is won (IsWon)."""


MAPPING = EntityMapping(
    source="Opportunity",
    entity="deal",
    dto=Deal,
    fields=(
        *COMMON_FIELDS,
        MappedField.of("client_id", "AccountId", identifier),
        MappedField.of("contract_id", "ContractId", identifier),
        MappedField.of("name", "Name", text),
        MappedField.of("stage", "StageName", text),
        MappedField.of("type", "Type", text),
        MappedField.of("lead_source", "LeadSource", text),
        MappedField.of("next_step", "NextStep", text),
        MappedField.of("forecast_category", "ForecastCategoryName", text),
        MappedField.of("currency", "CurrencyIsoCode", text),
        MappedField.of("description", "Description", text),
        MappedField.of("amount", "Amount", decimal),
        MappedField.of("probability", "Probability", decimal),
        MappedField.of("close_date", "CloseDate", date),
        MappedField.of("is_closed", "IsClosed", boolean),
        MappedField.of("is_won", "IsWon", boolean),
    ),
)
