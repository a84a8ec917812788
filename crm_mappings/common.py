"""Fields that several mappings declare alike."""

from crm_mappings.mapping import MappedField
from crm_mappings.transforms import date, identifier, time, verbatim

# Every mapping begins with these, as every DTO does.
COMMON_FIELDS = (
    MappedField.of("id", "Id", verbatim),
    MappedField.of("is_deleted", "IsDeleted", verbatim),
    MappedField.of("created_date", "CreatedDate", time),
    MappedField.of("last_modified_date", "LastModifiedDate", time),
    MappedField.of("system_modified_stamp", "SystemModstamp", time),
    MappedField.of("last_activity_date", "LastActivityDate", date),
    MappedField.of("owner_id", "OwnerId", identifier),
)

# Change events carry the name of a person as an object, of which the fold makes these; full rows have a Name besides.
PERSON_NAME = MappedField.joined(
    "name", parts=("Salutation", "FirstName", "MiddleName", "LastName", "Suffix"), otherwise="Name"
)
