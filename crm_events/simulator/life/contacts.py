"""Contacts: people at companies, who move, marry and change their phones."""

from collections.abc import Callable
from typing import Any

from crm_events.simulator.changes import Transaction
from crm_events.simulator.life import names
from crm_events.simulator.life.scene import Scene
from crm_events.simulator.records import Record

_TITLES = ("Managing Director", "Head of Licensing", "A&R Manager", "Royalty Accountant", "Legal Counsel", "Producer")
_DEPARTMENTS = ("Management", "Licensing", "Finance", "Legal", "Production")
_BRANCHES = ("Film", "Television", "Classical", "Catalogue", "International")


def new_contact(scene: Scene, account: Record, name: dict[str, str] | None = None) -> Record:
    """Return a contact of a company's account, not yet created."""
    company, rng = scene.company(account), scene.rng
    name = name or names.person(rng)
    fields: dict[str, Any] = {
        "AccountId": account.id,
        "Name": name,
        "Email": names.email(name, company.domain),
        "Phone": names.phone(rng, company.place),
        "Title": rng.choice(_TITLES),
        "Department": rng.choice(_DEPARTMENTS),
    }
    if scene.chance(0.5):
        fields["MobilePhone"] = names.phone(rng, company.place)
    if scene.chance(0.7):
        fields["MailingAddress"] = names.address(rng, company.place)
    return Record("Contact", scene.mint.record_id("Contact"), fields)


def add_contact(scene: Scene, tx: Transaction) -> None:
    """Note another person at a company."""
    account = scene.pick("Account", lambda record: not record.is_person)
    if account is not None:
        tx.create(new_contact(scene, account))


def edit_contact(scene: Scene, tx: Transaction) -> None:
    """Change this or that about a person."""
    contact = scene.pick("Contact", lambda record: not record.is_person)
    if contact is not None:
        tx.update([contact], scene.rng.choice(_EDITS)(scene, contact))


def _promoted(scene: Scene, _contact: Record) -> dict[str, Any]:
    return {"Title": scene.rng.choice(_TITLES), "Department": scene.rng.choice(_DEPARTMENTS)}


def _branch(scene: Scene, _contact: Record) -> dict[str, Any]:
    return {"Title": f"{scene.rng.choice(_TITLES)}, {scene.rng.choice(_BRANCHES)}"}


def _other_phone(scene: Scene, contact: Record) -> dict[str, Any]:
    place = scene.company_of(contact).place
    gone = contact.get("MobilePhone") and scene.chance(0.4)
    return {"MobilePhone": None if gone else names.phone(scene.rng, place)}


def _married(scene: Scene, contact: Record) -> dict[str, Any]:
    last = contact.get("LastName").partition("-")[0]
    return {"LastName": f"{last}-{scene.rng.choice(names.LAST_NAMES)}"}


def _moved(scene: Scene, contact: Record) -> dict[str, Any]:
    address = names.address(scene.rng, scene.company_of(contact).place)
    if contact.get("MailingCity"):
        return {f"Mailing{part}": address[part] for part in ("Street", "PostalCode")}
    return {f"Mailing{part}": value for part, value in address.items()}


def _no_phone(_scene: Scene, _contact: Record) -> dict[str, Any]:
    return {"Phone": None}


def _other_email(scene: Scene, contact: Record) -> dict[str, Any]:
    return {"Email": names.email(contact.fields, scene.company_of(contact).domain)}


_EDITS: tuple[Callable[[Scene, Record], dict[str, Any]], ...] = (
    _promoted,
    _branch,
    _other_phone,
    _married,
    _moved,
    _no_phone,
    _other_email,
)
