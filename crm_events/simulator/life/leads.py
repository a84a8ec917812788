"""Leads: come in, are worked on, and become a client, a contact and a deal, or nothing."""

from typing import Any

from crm_events.simulator.changes import Transaction
from crm_events.simulator.life import names
from crm_events.simulator.life.accounts import new_account
from crm_events.simulator.life.contacts import new_contact
from crm_events.simulator.life.deals import SOURCES, new_deal
from crm_events.simulator.life.scene import Scene
from crm_events.simulator.records import Record
from crm_events.simulator.schema import PERSON_NAME_PARTS

_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Working - Contacted", "Closed - Not Converted")
_RATINGS = ("Hot", "Warm", "Cold")


def new_lead(scene: Scene) -> Record:
    """Return a lead, not yet created."""
    rng = scene.rng
    company, name = scene.new_company(), names.person(rng)
    record_id = scene.mint.record_id("Lead")
    scene.know(record_id, company)
    fields: dict[str, Any] = {
        "Name": name,
        "Company": company.name,
        "Email": names.email(name, company.domain),
        "Status": _STATUSES[0],
        "LeadSource": rng.choice(SOURCES),
        "Industry": company.trade.industry,
        "Address": {"City": company.place.city, "Country": company.place.country},
        "IsConverted": False,
    }
    if scene.chance(0.6):
        fields["Phone"] = names.phone(rng, company.place)
    if scene.chance(0.5):
        fields["Rating"] = rng.choice(_RATINGS)
    return Record("Lead", record_id, fields)


def take_lead(scene: Scene, tx: Transaction) -> None:
    """Note somebody who showed interest."""
    tx.create(new_lead(scene))


def work_lead(scene: Scene, tx: Transaction) -> None:
    """Call a lead, and note how warm it is."""
    lead = _open_lead(scene)
    if lead is not None:
        values: dict[str, Any] = {"Status": scene.rng.choice(_STATUSES), "Rating": scene.rng.choice((*_RATINGS, None))}
        tx.update([lead], values)


def convert_lead(scene: Scene, tx: Transaction) -> None:
    """Convert a lead: four events of one transaction (cdc_standard_objects_lead_conversion)."""
    lead = _open_lead(scene)
    if lead is None:
        return
    account = tx.create(new_account(scene, scene.company(lead)))
    name = {part: value for part in PERSON_NAME_PARTS if (value := lead.get(part))}
    contact = tx.create(new_contact(scene, account, name))
    deal = tx.create(new_deal(scene, account, tx.made_at.date()))
    values = {
        "Status": "Closed - Converted",
        "IsConverted": True,
        "ConvertedDate": tx.made_at.date(),
        "ConvertedAccountId": account.id,
        "ConvertedContactId": contact.id,
        "ConvertedOpportunityId": deal.id,
    }
    tx.update([lead], values)


def _open_lead(scene: Scene) -> Record | None:
    return scene.pick("Lead", lambda record: not record.get("IsConverted"))
