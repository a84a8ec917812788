"""Accounts: signed, edited, handed over; companies and persons."""

from collections.abc import Callable
from typing import Any

from crm_events.demo import names
from crm_events.demo.changes import Record, Transaction
from crm_events.demo.ids import PERSON_RECORD_TYPE
from crm_events.demo.life.contacts import new_contact
from crm_events.demo.org import Org
from crm_events.demo.texts import DIFF_FROM_CHARACTERS, edit, long_text, note_line

_STATUSES = ("Prospect", "Onboarding", "Active", "Active", "Active", "Paused", "Closing")
_PRIORITIES = ("High", "Medium", "Medium", "Low")
_RATINGS = ("Hot", "Warm", "Cold")
# Looked up at delivery for subscribers that route by them.
_ENRICHED = ("External_Key__c", "Industry")


def new_account(org: Org, company: names.Company | None = None) -> Record:
    """Return a company's account, not yet created."""
    company = company or names.company(org.rng, org.company_names)
    rng, place = org.rng, company.place
    record_id = org.mint.record_id("Account")
    org.companies[record_id] = company
    fields: dict[str, Any] = {
        "Name": company.name,
        "BillingAddress": names.address(rng, place),
        "Phone": names.phone(rng, place),
        "Website": f"https://www.{company.domain}",
        "Industry": company.trade.industry,
        "CurrencyIsoCode": place.currency,
        "External_Key__c": f"CL-{rng.randrange(10_000, 99_999)}",
        "Business_Type__c": _business_types(org, company),
        "Account_Status__c": rng.choice(_STATUSES),
        "Account_Priority__c": rng.choice(_PRIORITIES),
        **_sign_on(org),
        **_parent(org),
    }
    if org.chance(0.2):
        fields["Description"] = long_text(rng, names.FIRST_NAMES)
    elif org.chance(0.5):
        fields["Description"] = note_line(rng, names.FIRST_NAMES)
    return Record("Account", record_id, fields)


def sign_account(org: Org, tx: Transaction) -> None:
    """Create a client: most are companies with a contact or two, some are persons."""
    if org.chance(0.12):
        _sign_person(org, tx)
        return
    account = org.add(tx.create(new_account(org)))
    for _ in range(org.rng.randint(1, 2)):
        org.add(tx.create(new_contact(org, account)))


def _sign_person(org: Org, tx: Transaction) -> None:
    """Create a person account: an Account and a Contact, in one transaction (cdc_standard_objects_person_account)."""
    name, place = names.person(org.rng), org.rng.choice(names.PLACES)
    person_email = names.email(name, "songwriters.example")
    contact_id = org.mint.record_id("Contact")
    fields = {
        "Name": name,
        "RecordTypeId": PERSON_RECORD_TYPE,
        "PersonContactId": contact_id,
        "PersonEmail": person_email,
        "BillingAddress": names.address(org.rng, place),
        "CurrencyIsoCode": place.currency,
        "Business_Type__c": "Songwriter",
        "Account_Status__c": "Active",
    }
    account = org.add(tx.create(Record("Account", org.mint.record_id("Account"), fields)))
    contact = {"AccountId": account.id, "Name": dict(name), "Email": person_email, "IsPersonAccount": True}
    org.add(tx.create(Record("Contact", contact_id, contact)))


def edit_account(org: Org, tx: Transaction) -> None:
    """Change this or that about a company."""
    account = org.pick("Account", lambda record: record.id in org.companies)
    if account is not None:
        org.rng.choice(_EDITS)(org, tx, account)


def reassign_accounts(org: Org, tx: Transaction) -> None:
    """Hand several accounts to another owner at once: one merged event."""
    accounts = org.several("Account", org.rng.randint(2, 8))
    if accounts:
        tx.update(accounts, {"OwnerId": org.rng.choice(org.users)})


def _change_status(org: Org, tx: Transaction, account: Record) -> None:
    tx.update([account], {"Account_Status__c": org.rng.choice(_STATUSES), "Rating": org.rng.choice(_RATINGS)})


def _change_priority(org: Org, tx: Transaction, account: Record) -> None:
    tx.update([account], {"Account_Priority__c": org.rng.choice(_PRIORITIES)}, enrich=_ENRICHED)


def _change_phone(org: Org, tx: Transaction, account: Record) -> None:
    phone = None if account.get("Phone") and org.chance(0.25) else names.phone(org.rng, _company(org, account).place)
    tx.update([account], {"Phone": phone})


def _move_within_city(org: Org, tx: Transaction, account: Record) -> None:
    address = names.address(org.rng, _company(org, account).place)
    tx.update([account], {f"BillingAddress.{part}": address[part] for part in ("Street", "PostalCode")})


def _move_away(org: Org, tx: Transaction, account: Record) -> None:
    company = _company(org, account)._replace(place=org.rng.choice(names.PLACES))
    org.companies[account.id] = company
    address = names.address(org.rng, company.place)
    values: dict[str, Any] = {f"BillingAddress.{part}": value for part, value in address.items()}
    tx.update([account], {**values, "CurrencyIsoCode": company.place.currency})


def _drop_postal_code(_org: Org, tx: Transaction, account: Record) -> None:
    tx.update([account], {"BillingAddress.PostalCode": None})


def _change_business(org: Org, tx: Transaction, account: Record) -> None:
    tx.update([account], {"Business_Type__c": _business_types(org, _company(org, account))})


def _change_sign_on(org: Org, tx: Transaction, account: Record) -> None:
    values = {"Orfium_SSO_ID_Comp__c": None, "Orfium_SSO_ID_SR__c": None, **_sign_on(org)}
    tx.update([account], values)


def _change_fax(org: Org, tx: Transaction, account: Record) -> None:
    tx.update([account], {"Fax": names.phone(org.rng, _company(org, account).place)}, enrich=_ENRICHED)


def _change_website(org: Org, tx: Transaction, account: Record) -> None:
    domain = _company(org, account).domain
    tx.update([account], {"Website": org.rng.choice((f"https://{domain}", f"https://music.{domain}", None))})


def _change_notes(org: Org, tx: Transaction, account: Record) -> None:
    notes = account.get("Description") or ""
    if len(notes) >= DIFF_FROM_CHARACTERS:
        tx.edit_text(account, "Description", *edit(org.rng, notes, names.FIRST_NAMES))
    else:
        tx.update([account], {"Description": long_text(org.rng, names.FIRST_NAMES)})


def _change_parent(org: Org, tx: Transaction, account: Record) -> None:
    tx.update([account], {"ParentId": None, **_parent(org)})


_EDITS: tuple[Callable[[Org, Transaction, Record], None], ...] = (
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


def _company(org: Org, account: Record) -> names.Company:
    return org.companies[account.id]


def _business_types(org: Org, company: names.Company) -> str:
    types = company.trade.types
    return ";".join(org.rng.sample(types, org.rng.randint(1, len(types))))


def _sign_on(org: Org) -> dict[str, str]:
    number = f"{org.rng.getrandbits(40):010x}"
    return org.rng.choice(
        ({"Orfium_SSO_ID_Comp__c": f"comp-{number}"}, {"Orfium_SSO_ID_SR__c": f"sr-{number}"}, {}),
    )


def _parent(org: Org) -> dict[str, str]:
    parent = org.pick("Account", lambda record: record.id in org.companies) if org.chance(0.15) else None
    return {"ParentId": parent.id} if parent else {}
