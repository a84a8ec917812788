"""Accounts: signed, edited, handed over; companies and persons."""

from collections.abc import Callable
from typing import Any

from crm_events.simulator.changes import Transaction
from crm_events.simulator.life import names
from crm_events.simulator.life.contacts import new_contact
from crm_events.simulator.life.notes import edit, long_text, note_line
from crm_events.simulator.life.scene import Scene
from crm_events.simulator.records import Record
from crm_events.simulator.texts import DIFF_FROM_CHARACTERS

_STATUSES = ("Prospect", "Onboarding", "Active", "Active", "Active", "Paused", "Closing")
_PRIORITIES = ("High", "Medium", "Medium", "Low")
_RATINGS = ("Hot", "Warm", "Cold")
# Looked up at delivery for subscribers that route by them.
_ENRICHED = ("External_Key__c", "Industry")


def new_account(scene: Scene, company: names.Company | None = None) -> Record:
    """Return a company's account, not yet created."""
    company = company or scene.new_company()
    rng, place = scene.rng, company.place
    record_id = scene.mint.record_id("Account")
    scene.know(record_id, company)
    fields: dict[str, Any] = {
        "Name": company.name,
        "BillingAddress": names.address(rng, place),
        "Phone": names.phone(rng, place),
        "Website": f"https://www.{company.domain}",
        "Industry": company.trade.industry,
        "CurrencyIsoCode": place.currency,
        "External_Key__c": f"CL-{rng.randrange(10_000, 99_999)}",
        "Business_Type__c": _business_types(scene, company),
        "Account_Status__c": rng.choice(_STATUSES),
        "Account_Priority__c": rng.choice(_PRIORITIES),
        **_sign_on(scene),
        **_parent(scene),
    }
    if scene.chance(0.3):
        fields["Review_Date__c"] = f"20{rng.randrange(27, 30)}-0{rng.randrange(1, 10)}-15"
    if scene.chance(0.2):
        fields["Description"] = long_text(rng, names.FIRST_NAMES)
    elif scene.chance(0.5):
        fields["Description"] = note_line(rng, names.FIRST_NAMES)
    return Record("Account", record_id, fields)


def is_company(account: Record) -> bool:
    """Say whether an account is that of a company."""
    return not account.is_person


def sign_account(scene: Scene, tx: Transaction) -> None:
    """Create a client: most are companies with a contact or two, some are persons."""
    if scene.chance(0.12):
        _sign_person(scene, tx)
        return
    account = tx.create(new_account(scene))
    for _ in range(scene.rng.randint(1, 2)):
        tx.create(new_contact(scene, account))


def _sign_person(scene: Scene, tx: Transaction) -> None:
    """Create a person account: an Account and a Contact, in one transaction (cdc_standard_objects_person_account)."""
    name, place = names.person(scene.rng), scene.rng.choice(names.PLACES)
    person_email = names.email(name, "songwriters.example")
    fields = {
        "Name": name,
        "PersonEmail": person_email,
        "BillingAddress": names.address(scene.rng, place),
        "CurrencyIsoCode": place.currency,
        "Business_Type__c": "Songwriter",
        "Account_Status__c": "Active",
    }
    account = Record("Account", scene.mint.record_id("Account"), fields)
    tx.create_person(account, scene.mint.record_id("Contact"))


def edit_account(scene: Scene, tx: Transaction) -> None:
    """Change this or that about a company."""
    account = scene.pick("Account", is_company)
    if account is not None:
        scene.rng.choice(_EDITS)(scene, tx, account)


def edit_person(scene: Scene, tx: Transaction) -> None:
    """Change this or that about a person who is a client: account and contact both tell of it."""
    account = scene.pick("Account", lambda record: record.is_person)
    contact = scene.find("Contact", account.get("PersonContactId")) if account else None
    if account is None or contact is None:
        return
    if scene.chance(0.5):
        first, last = account.get("FirstName"), scene.rng.choice(names.LAST_NAMES)
        email = names.email({"FirstName": first, "LastName": last}, "songwriters.example")
        tx.update_person(account, contact, {"LastName": last, "PersonEmail": email})
    else:
        tx.update_person(contact, account, {"MobilePhone": names.phone(scene.rng, scene.rng.choice(names.PLACES))})


def reassign_accounts(scene: Scene, tx: Transaction) -> None:
    """Hand several accounts to another owner at once: one merged event."""
    accounts = scene.several("Account", scene.rng.randint(2, 8), is_company)
    if accounts:
        tx.update(accounts, {"OwnerId": scene.rng.choice(scene.users)})


def _change_status(scene: Scene, tx: Transaction, account: Record) -> None:
    tx.update([account], {"Account_Status__c": scene.rng.choice(_STATUSES), "Rating": scene.rng.choice(_RATINGS)})


def _change_priority(scene: Scene, tx: Transaction, account: Record) -> None:
    tx.update([account], {"Account_Priority__c": scene.rng.choice(_PRIORITIES)}, enrich=_ENRICHED)


def _change_phone(scene: Scene, tx: Transaction, account: Record) -> None:
    is_gone = account.get("Phone") and scene.chance(0.25)
    phone = None if is_gone else names.phone(scene.rng, _company(scene, account).place)
    tx.update([account], {"Phone": phone})


def _move_within_city(scene: Scene, tx: Transaction, account: Record) -> None:
    address = names.address(scene.rng, _company(scene, account).place)
    tx.update([account], {f"Billing{part}": address[part] for part in ("Street", "PostalCode")})


def _move_away(scene: Scene, tx: Transaction, account: Record) -> None:
    company = _company(scene, account)._replace(place=scene.rng.choice(names.PLACES))
    scene.know(account.id, company)
    address = names.address(scene.rng, company.place)
    values: dict[str, Any] = {f"Billing{part}": value for part, value in address.items()}
    tx.update([account], {**values, "CurrencyIsoCode": company.place.currency})


def _drop_postal_code(_scene: Scene, tx: Transaction, account: Record) -> None:
    tx.update([account], {"BillingPostalCode": None})


def _change_business(scene: Scene, tx: Transaction, account: Record) -> None:
    tx.update([account], {"Business_Type__c": _business_types(scene, _company(scene, account))})


def _change_sign_on(scene: Scene, tx: Transaction, account: Record) -> None:
    values = {"Orfium_SSO_ID_Comp__c": None, "Orfium_SSO_ID_SR__c": None, **_sign_on(scene)}
    tx.update([account], values)


def _change_fax(scene: Scene, tx: Transaction, account: Record) -> None:
    tx.update([account], {"Fax": names.phone(scene.rng, _company(scene, account).place)}, enrich=_ENRICHED)


def _change_website(scene: Scene, tx: Transaction, account: Record) -> None:
    domain = _company(scene, account).domain
    tx.update([account], {"Website": scene.rng.choice((f"https://{domain}", f"https://music.{domain}", None))})


def _change_notes(scene: Scene, tx: Transaction, account: Record) -> None:
    notes = account.get("Description") or ""
    if len(notes) >= DIFF_FROM_CHARACTERS:
        tx.update([account], {"Description": edit(scene.rng, notes, names.FIRST_NAMES)})
    else:
        tx.update([account], {"Description": long_text(scene.rng, names.FIRST_NAMES)})


def _change_parent(scene: Scene, tx: Transaction, account: Record) -> None:
    tx.update([account], {"ParentId": None, **_parent(scene)})


_EDITS: tuple[Callable[[Scene, Transaction, Record], None], ...] = (
    _change_status,
    _change_status,
    _change_priority,
    _change_phone,
    _move_within_city,
    _move_away,
    _drop_postal_code,
    _change_business,
    _change_sign_on,
    _change_fax,
    _change_website,
    _change_notes,
    _change_notes,
    _change_parent,
)


def _company(scene: Scene, account: Record) -> names.Company:
    return scene.company(account)


def _business_types(scene: Scene, company: names.Company) -> str:
    types = company.trade.types
    return ";".join(scene.rng.sample(types, scene.rng.randint(1, len(types))))


def _sign_on(scene: Scene) -> dict[str, str]:
    number = f"{scene.rng.getrandbits(40):010x}"
    return scene.rng.choice(
        ({"Orfium_SSO_ID_Comp__c": f"comp-{number}"}, {"Orfium_SSO_ID_SR__c": f"sr-{number}"}, {}),
    )


def _parent(scene: Scene) -> dict[str, str]:
    parent = scene.pick("Account", is_company) if scene.chance(0.15) else None
    return {"ParentId": parent.id} if parent else {}
