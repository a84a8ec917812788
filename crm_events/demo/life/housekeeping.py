"""What else happens: work orders nobody mapped, deletions, the recycle bin, and changes that come without values."""

from decimal import Decimal
from typing import Any

from crm_events.demo.changes import Record, Transaction
from crm_events.demo.org import Org

_STATUSES = ("Planned", "Under Way", "Done", "Billed")
_CREW = ("Ana", "Bo", "Cy", "Dee", "Eli", "Fay")
_WORK = "Work_Order_Line__c"
_DELETED_KINDS = ("Contact", "Contact", "Lead", "Lead", "Opportunity", _WORK)


def plan_work(org: Org, tx: Transaction) -> None:
    """Plan work for a client, in a custom object that has no mapping."""
    account = org.pick("Account")
    if account is None:
        return
    fields: dict[str, Any] = {
        "Name": f"WOL-{org.rng.randrange(10**5):05d}",
        "Account__c": account.id,
        "Status__c": _STATUSES[0],
        "Crew__c": _crew(org),
        "Site__c": _site(org),
        "Hours__c": Decimal(org.rng.randrange(2, 160)) / 4,
    }
    org.add(tx.create(Record(_WORK, org.mint.record_id(_WORK), fields)))


def report_work(org: Org, tx: Transaction) -> None:
    """Report how planned work goes; a geolocation of a custom object always comes whole."""
    line = org.pick(_WORK)
    if line is None:
        return
    values: dict[str, Any] = {"Status__c": org.rng.choice(_STATUSES), "Crew__c": _crew(org)}
    if org.chance(0.3):
        values.update({f"Site__c.{part}": value for part, value in _site(org).items()})
    tx.update([line], values)


def delete_something(org: Org, tx: Transaction) -> None:
    """Delete a record, rarely an account with all that goes with it."""
    record = org.pick("Account" if org.chance(0.1) else org.rng.choice(_DELETED_KINDS))
    if record is None:
        return
    gone = [record]
    tx.delete([record], enrich=("External_Key__c", "Industry"))
    for children in org.children(record) if record.entity == "Account" else ():
        tx.delete(children)
        gone += children
    for one in gone:
        org.remove(one)
    org.bin.append(gone)


def restore_something(org: Org, tx: Transaction) -> None:
    """Bring back what was deleted together, each record with all its fields."""
    if org.bin:
        for record in org.bin.pop(org.rng.randrange(len(org.bin))):
            tx.undelete(record)
            org.add(record)


def lose_changes(org: Org, tx: Transaction) -> None:
    """Change records in a way that Salesforce only tells of, without values (cdc_other_events_gap)."""
    records = [record for entity in ("Account", "Contact") if (record := org.pick(entity)) is not None]
    for record in records:
        tx.gap("GAP_UPDATE", [record])
    contacts = org.several("Contact", 2)
    if contacts:
        tx.gap("GAP_UPDATE", contacts)


def lose_creation(org: Org, tx: Transaction) -> None:
    """Create a lead whose values never come."""
    tx.gap("GAP_CREATE", [Record("Lead", org.mint.record_id("Lead"), {})])


def lose_deletion(org: Org, tx: Transaction) -> None:
    """Archive two leads in the database and bring one back, and tell of it without values."""
    leads = org.several("Lead", 2)
    if leads:
        tx.gap("GAP_DELETE", leads)
        tx.gap("GAP_UNDELETE", leads[1:] or leads)
    for lead in leads:
        # What it holds now, nobody knows: it takes no part any more.
        org.remove(lead)


def load_too_much(_org: Org, tx: Transaction) -> None:
    """Change more at once than Salesforce tells of one by one (cdc_other_events_overflow)."""
    tx.notice("GAP_OVERFLOW", "Opportunity", "000000000000000AAA")


def retype_field(_org: Org, tx: Transaction) -> None:
    """Give a field another type, which clears it everywhere (cdc_field_conversion_single_event)."""
    tx.notice("UPDATE", "Account", "001*", changed=("Review_Date__c",))


def _crew(org: Org) -> str:
    return ";".join(org.rng.sample(_CREW, org.rng.randint(1, 3)))


def _site(org: Org) -> dict[str, Decimal]:
    return {
        "Latitude": Decimal(org.rng.randrange(350_000, 600_000)).scaleb(-4),
        "Longitude": Decimal(org.rng.randrange(-30_000, 300_000)).scaleb(-4),
    }
