"""Contacts: people at companies, who move, marry and change their phones."""

from collections.abc import Callable
from typing import Any

from crm_events.demo import names
from crm_events.demo.changes import Record, Transaction
from crm_events.demo.org import Org

_TITLES = ("Managing Director", "Head of Licensing", "A&R Manager", "Royalty Accountant", "Legal Counsel", "Producer")
_DEPARTMENTS = ("Management", "Licensing", "Finance", "Legal", "Production")
_BRANCHES = ("Film", "Television", "Classical", "Catalogue", "International")


def new_contact(org: Org, account: Record, name: dict[str, str] | None = None) -> Record:
    """Return a contact of a company's account, not yet created."""
    company, rng = org.companies[account.id], org.rng
    name = name or names.person(rng)
    fields: dict[str, Any] = {
        "AccountId": account.id,
        "Name": name,
        "Email": names.email(name, company.domain),
        "Phone": names.phone(rng, company.place),
        "Title": rng.choice(_TITLES),
        "Department": rng.choice(_DEPARTMENTS),
    }
    if org.chance(0.5):
        fields["MobilePhone"] = names.phone(rng, company.place)
    if org.chance(0.7):
        fields["MailingAddress"] = names.address(rng, company.place)
    return Record("Contact", org.mint.record_id("Contact"), fields)


def add_contact(org: Org, tx: Transaction) -> None:
    """Note another person at a company."""
    account = org.pick("Account", lambda record: record.id in org.companies)
    if account is not None:
        org.add(tx.create(new_contact(org, account)))


def edit_contact(org: Org, tx: Transaction) -> None:
    """Change this or that about a person."""
    contact = org.pick("Contact", lambda record: record.get("AccountId") in org.companies)
    if contact is not None:
        tx.update([contact], org.rng.choice(_EDITS)(org, contact))


def _promoted(org: Org, _contact: Record) -> dict[str, Any]:
    return {"Title": org.rng.choice(_TITLES), "Department": org.rng.choice(_DEPARTMENTS)}


def _branch(org: Org, _contact: Record) -> dict[str, Any]:
    return {"Title": f"{org.rng.choice(_TITLES)}, {org.rng.choice(_BRANCHES)}"}


def _other_phone(org: Org, contact: Record) -> dict[str, Any]:
    place = org.companies[contact.get("AccountId")].place
    gone = contact.get("MobilePhone") and org.chance(0.4)
    return {"MobilePhone": None if gone else names.phone(org.rng, place)}


def _married(org: Org, contact: Record) -> dict[str, Any]:
    last = contact.get("Name.LastName").partition("-")[0]
    return {"Name.LastName": f"{last}-{org.rng.choice(names.LAST_NAMES)}"}


def _moved(org: Org, contact: Record) -> dict[str, Any]:
    address = names.address(org.rng, org.companies[contact.get("AccountId")].place)
    if contact.get("MailingAddress"):
        return {f"MailingAddress.{part}": address[part] for part in ("Street", "PostalCode")}
    return {f"MailingAddress.{part}": value for part, value in address.items()}


def _no_phone(_org: Org, _contact: Record) -> dict[str, Any]:
    return {"Phone": None}


def _other_email(org: Org, contact: Record) -> dict[str, Any]:
    return {"Email": names.email(contact.get("Name"), org.companies[contact.get("AccountId")].domain)}


_EDITS: tuple[Callable[[Org, Record], dict[str, Any]], ...] = (
    _promoted,
    _branch,
    _other_phone,
    _married,
    _moved,
    _no_phone,
    _other_email,
)
