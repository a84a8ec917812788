"""Whether Salesforce lets the service read it, how much of it, and how many calls are left."""

from collections.abc import Sequence

from config.doctor.diagnosis import Diagnosis, Light, amber, green, told
from crm_events.backends import crm_source, has_crm_source
from crm_events.ports.crm_source import ApiUsage, CrmSource, CrmSourceError, SourceRefusedError
from crm_mappings.registry import all_mappings

_SUBJECT = "Salesforce"
_MANY = 0.7


def examine_salesforce() -> Sequence[Diagnosis]:
    """Ping Salesforce, and look at what its user may see; where no source is set up there is nothing to say."""
    if not has_crm_source():
        return []
    try:
        source = crm_source()
        source.ping()
        rights = [line for mapping in all_mappings() for line in _rights(source, mapping.source)]
        return [green(_SUBJECT, "lets us in"), *rights, *_calls(source.usage())]
    except CrmSourceError as error:
        return [told(_SUBJECT, Light.RED, str(error), "see the variables that begin with SALESFORCE_.")]


def _rights(source: CrmSource, entity: str) -> list[Diagnosis]:
    try:
        columns = len(source.describe(entity).columns)
    except SourceRefusedError as error:
        said = f"{entity} cannot be read: {error}"
        return [told(_SUBJECT, Light.RED, said, "give the API user the right to read it, with all its fields.")]
    if source.sees_all(entity):
        return [green(_SUBJECT, f"{entity}: {columns} columns, all records")]
    fact = f"{entity}: {columns} columns, but it is not certain that all records are shown"
    step = "give the API user “View All Records” of it; else a deleted record cannot be told from a hidden one."
    return [amber(_SUBJECT, fact, step)]


def _calls(usage: ApiUsage | None) -> list[Diagnosis]:
    if usage is None:
        return []
    fact = f"{usage.used:,} of {usage.limit:,} API calls of 24 hours are used"
    if usage.used < _MANY * usage.limit:
        return [green("API calls", fact)]
    return [amber("API calls", fact, "see who else calls this org; backfills wait until calls come free again.")]
