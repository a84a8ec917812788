"""The fields that each object of the org has, in the order of its schema; dense shapes spell all of them out."""

_NAME = ("Salutation", "FirstName", "MiddleName", "LastName", "Suffix")
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country", "CountryCode")
_SYSTEM = ("OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById")

# What a compound holds; of a person account, Name is one too.
COMPONENTS: dict[str, tuple[str, ...]] = {
    "Name": _NAME,
    "BillingAddress": _ADDRESS,
    "MailingAddress": _ADDRESS,
    "Address": _ADDRESS,
    "Site__c": ("Latitude", "Longitude"),
}
FIELDS: dict[str, tuple[str, ...]] = {
    "Account": (
        *("Name", "ParentId", "BillingAddress", "Phone", "Fax", "Website", "Industry", "Description", "Rating"),
        *("CurrencyIsoCode", "RecordTypeId", "PersonEmail", "PersonContactId", "External_Key__c", "Business_Type__c"),
        *("Account_Status__c", "Account_Priority__c", "Orfium_SSO_ID_Comp__c", "Orfium_SSO_ID_SR__c"),
        *_SYSTEM,
    ),
    "Contact": (
        *("AccountId", "Name", "MailingAddress", "Phone", "MobilePhone", "Email", "Title", "Department"),
        *("IsPersonAccount", *_SYSTEM),
    ),
    "Contract": (
        *("AccountId", "ContractNumber", "Status", "StartDate", "EndDate", "ContractTerm", "CustomerSignedDate"),
        *("BillingAddress", "SpecialTerms", "Description", *_SYSTEM),
    ),
    "Opportunity": (
        *("AccountId", "ContractId", "Name", "Description", "StageName", "Amount", "Probability", "CloseDate", "Type"),
        *("NextStep", "LeadSource", "IsClosed", "IsWon", "ForecastCategoryName", "CurrencyIsoCode", *_SYSTEM),
    ),
    "Lead": (
        *("Name", "Company", "Address", "Phone", "Email", "LeadSource", "Status", "Industry", "Rating"),
        *("IsConverted", "ConvertedDate", "ConvertedAccountId", "ConvertedContactId", "ConvertedOpportunityId"),
        *_SYSTEM,
    ),
    "Work_Order_Line__c": ("Name", "Account__c", "Status__c", "Crew__c", "Site__c", "Hours__c", *_SYSTEM),
}
