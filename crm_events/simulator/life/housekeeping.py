"""What else happens: work orders nobody mapped, deletions, the recycle bin, and changes that come without values."""

from decimal import Decimal
from typing import Any

from crm_events.simulator.changes import Transaction
from crm_events.simulator.life.scene import Scene
from crm_events.simulator.records import Record

_STATUSES = ("Planned", "Under Way", "Done", "Billed")
_CREW = ("Ana", "Bo", "Cy", "Dee", "Eli", "Fay")
_WORK = "Work_Order_Line__c"
_DELETED_KINDS = ("Contact", "Contact", "Lead", "Lead", "Opportunity", _WORK)
_MET_KINDS = ("Account", "Contact", "Lead", "Opportunity")


def plan_work(scene: Scene, tx: Transaction) -> None:
    """Plan work for a client, in a custom object that has no mapping."""
    account = scene.pick("Account")
    if account is None:
        return
    fields: dict[str, Any] = {
        "Name": f"WOL-{scene.rng.randrange(10**5):05d}",
        "Account__c": account.id,
        "Status__c": _STATUSES[0],
        "Crew__c": _crew(scene),
        "Hours__c": Decimal(scene.rng.randrange(2, 160)) / 4,
        **_site(scene),
    }
    tx.create(Record(_WORK, scene.mint.record_id(_WORK), fields))


def report_work(scene: Scene, tx: Transaction) -> None:
    """Report how planned work goes."""
    line = scene.pick(_WORK)
    if line is None:
        return
    values: dict[str, Any] = {"Status__c": scene.rng.choice(_STATUSES), "Crew__c": _crew(scene)}
    tx.update([line], {**values, **(_site(scene) if scene.chance(0.3) else {})})


def delete_something(scene: Scene, tx: Transaction) -> None:
    """Delete a record, rarely an account with all that goes with it."""
    entity = "Account" if scene.chance(0.1) else scene.rng.choice(_DELETED_KINDS)
    # The contact of a person account goes only with its account.
    record = scene.pick(entity, lambda one: entity == "Account" or not one.is_person)
    if record is None:
        return
    tx.delete([record], enrich=("External_Key__c", "Industry"))
    for children in scene.children(record) if entity == "Account" else ():
        tx.delete(children)


def restore_something(scene: Scene, tx: Transaction) -> None:
    """Bring back what was deleted together, each record with all its fields."""
    for record in scene.deleted_together():
        tx.undelete(record)


def hold_meeting(scene: Scene, tx: Transaction) -> None:
    """Meet somebody, which moves a date that no event carries."""
    record = scene.pick(scene.rng.choice(_MET_KINDS))
    if record is not None:
        tx.change_quietly(record, {"LastActivityDate": tx.made_at.date()})


def lose_changes(scene: Scene, tx: Transaction) -> None:
    """Change records in a way that Salesforce only tells of without values (cdc_other_events_gap)."""
    account = scene.pick("Account", lambda record: not record.is_person)
    if account is not None:
        tx.update([account], {"Account_Status__c": "Paused", "Rating": None})
    contacts = scene.several("Contact", 3, lambda record: not record.is_person)
    if contacts:
        tx.update(contacts, {"Department": "Archive"})
    tx.lose_values()


def lose_creation(scene: Scene, tx: Transaction) -> None:
    """Create a lead whose values never come."""
    fields = {"LastName": "Archived", "Company": "Archive", "Status": "Open - Not Contacted", "Country": "Greece"}
    tx.create(Record("Lead", scene.mint.record_id("Lead"), fields))
    tx.lose_values()


def lose_deletion(scene: Scene, tx: Transaction) -> None:
    """Archive a lead in the database and bring another back, and tell of it without values."""
    lead = scene.pick("Lead")
    if lead is not None:
        tx.delete([lead])
    gone = scene.pick("Lead", deleted=True)
    if gone is not None and gone is not lead:
        tx.undelete(gone)
    tx.lose_values()


def load_too_much(scene: Scene, tx: Transaction) -> None:
    """Change more at once than Salesforce tells of one by one (cdc_other_events_overflow)."""
    for deal in scene.several("Opportunity", 5):
        tx.update([deal], {"NextStep": "Check after the load"})
    tx.overflow()


def retype_field(scene: Scene, tx: Transaction) -> None:
    """Give a field another type, which clears it everywhere (cdc_field_conversion_single_event)."""
    scene.clear_everywhere("Account", "Review_Date__c")
    tx.retype("Account", "001", "Review_Date__c")


def _crew(scene: Scene) -> str:
    return ";".join(scene.rng.sample(_CREW, scene.rng.randint(1, 3)))


def _site(scene: Scene) -> dict[str, Any]:
    return {
        "Site__Latitude__s": Decimal(scene.rng.randrange(350_000, 600_000)).scaleb(-4),
        "Site__Longitude__s": Decimal(scene.rng.randrange(-30_000, 300_000)).scaleb(-4),
    }
