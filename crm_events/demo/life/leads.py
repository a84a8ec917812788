"""Leads: come in, are worked on, and become a client, a contact and a deal, or nothing."""

from typing import Any

from crm_events.demo import names
from crm_events.demo.changes import Record, Transaction
from crm_events.demo.life.accounts import new_account
from crm_events.demo.life.contacts import new_contact
from crm_events.demo.life.deals import SOURCES, new_deal
from crm_events.demo.org import Org

_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Working - Contacted", "Closed - Not Converted")
_RATINGS = ("Hot", "Warm", "Cold")


def new_lead(org: Org) -> Record:
    """Return a lead, not yet created."""
    rng = org.rng
    company, name = names.company(rng, org.company_names), names.person(rng)
    record_id = org.mint.record_id("Lead")
    org.companies[record_id] = company
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
    if org.chance(0.6):
        fields["Phone"] = names.phone(rng, company.place)
    if org.chance(0.5):
        fields["Rating"] = rng.choice(_RATINGS)
    return Record("Lead", record_id, fields)


def take_lead(org: Org, tx: Transaction) -> None:
    """Note somebody who showed interest."""
    org.add(tx.create(new_lead(org)))


def work_lead(org: Org, tx: Transaction) -> None:
    """Call a lead, and note how warm it is."""
    lead = _open_lead(org)
    if lead is not None:
        values: dict[str, Any] = {"Status": org.rng.choice(_STATUSES), "Rating": org.rng.choice((*_RATINGS, None))}
        tx.update([lead], values)


def convert_lead(org: Org, tx: Transaction) -> None:
    """Convert a lead: four events of one transaction (cdc_standard_objects_lead_conversion)."""
    lead = _open_lead(org)
    if lead is None:
        return
    account = org.add(tx.create(new_account(org, org.companies[lead.id])))
    contact = org.add(tx.create(new_contact(org, account, dict(lead.get("Name")))))
    deal = org.add(tx.create(new_deal(org, account, tx.committed_at.date())))
    values = {
        "Status": "Closed - Converted",
        "IsConverted": True,
        "ConvertedDate": tx.committed_at.date(),
        "ConvertedAccountId": account.id,
        "ConvertedContactId": contact.id,
        "ConvertedOpportunityId": deal.id,
    }
    tx.update([lead], values)


def _open_lead(org: Org) -> Record | None:
    return org.pick("Lead", lambda record: not record.get("IsConverted"))
