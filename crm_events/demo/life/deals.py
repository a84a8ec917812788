"""Deals and contracts: opened, advanced stage by stage, won with a contract or lost."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm_events.demo import names
from crm_events.demo.changes import Record, Transaction
from crm_events.demo.org import Org
from crm_events.demo.texts import note_line

# Stage, probability and forecast category, as a new org has them.
_STAGES: tuple[tuple[str, int, str], ...] = (
    ("Prospecting", 10, "Pipeline"),
    ("Qualification", 20, "Pipeline"),
    ("Needs Analysis", 35, "Pipeline"),
    ("Value Proposition", 50, "Best Case"),
    ("Proposal/Price Quote", 75, "Best Case"),
    ("Negotiation/Review", 90, "Commit"),
)
_NAMES = tuple(stage for stage, _, _ in _STAGES)
_TYPES = ("New Business", "Existing Business", "Renewal")
_SUBJECTS = ("Catalogue Licence", "Claims Service", "Cue Sheets", "Sync Package", "Royalty Audit", "Data Feed")
_NEXT_STEPS = ("Send the proposal", "Call the lawyer", "Await the signature", "Set up a demo", "Agree on the territory")
SOURCES = ("Web", "Referral", "Trade Show", "Partner", "Phone Inquiry")
_CURRENCY_WITHOUT_CENTS = "JPY"


def new_deal(org: Org, account: Record, today: date) -> Record:
    """Return a deal with a company, not yet created."""
    rng, company = org.rng, org.companies[account.id]
    fields: dict[str, Any] = {
        "AccountId": account.id,
        "Name": f"{company.name} – {rng.choice(_SUBJECTS)}",
        "Type": rng.choice(_TYPES),
        "LeadSource": rng.choice(SOURCES),
        "CloseDate": today + timedelta(days=rng.randint(20, 160)),
        "Amount": _amount(org, company.place.currency),
        "CurrencyIsoCode": company.place.currency,
        "IsClosed": False,
        "IsWon": False,
        **_stage(rng.randrange(2)),
    }
    if org.chance(0.3):
        fields["Description"] = note_line(rng, names.FIRST_NAMES)
    return Record("Opportunity", org.mint.record_id("Opportunity"), fields)


def new_contract(org: Org, account_id: str, today: date) -> Record:
    """Return a contract in draft with a company, not yet created."""
    rng = org.rng
    months = rng.choice((6, 12, 12, 24, 36))
    fields: dict[str, Any] = {
        "AccountId": account_id,
        "ContractNumber": f"{rng.randrange(10**8):08d}",
        "Status": "Draft",
        "StartDate": today,
        "EndDate": today + timedelta(days=months * 30),
        "ContractTerm": months,
        "BillingAddress": names.address(rng, org.companies[account_id].place),
        "Description": note_line(rng, names.FIRST_NAMES),
    }
    if org.chance(0.4):
        fields["SpecialTerms"] = f"Notice of {rng.choice((30, 60, 90))} days; statements each quarter."
    return Record("Contract", org.mint.record_id("Contract"), fields)


def open_deal(org: Org, tx: Transaction) -> None:
    """Begin to negotiate with a company."""
    account = org.pick("Account", lambda record: record.id in org.companies)
    if account is not None:
        org.add(tx.create(new_deal(org, account, tx.committed_at.date())))


def advance_deal(org: Org, tx: Transaction) -> None:
    """Bring a deal to its next stage, to its end, or change its terms."""
    deal = org.pick("Opportunity", lambda record: not record.get("IsClosed"))
    if deal is None:
        return
    stage = _NAMES.index(deal.get("StageName"))
    if org.chance(0.12):
        tx.update([deal], {**_closed(won=False), "CloseDate": tx.committed_at.date(), "NextStep": None})
    elif org.chance(0.3):
        tx.update([deal], {"Amount": _amount(org, deal.get("CurrencyIsoCode"))})
    elif stage + 1 < len(_STAGES):
        tx.update([deal], {**_stage(stage + 1), "NextStep": org.rng.choice(_NEXT_STEPS)})
    else:
        _win(org, tx, deal)


def _win(org: Org, tx: Transaction, deal: Record) -> None:
    """Close a deal; the contract made of it is created in the same transaction."""
    today = tx.committed_at.date()
    contract = org.add(tx.create(new_contract(org, deal.get("AccountId"), today)))
    values = {**_closed(won=True), "CloseDate": today, "NextStep": None, "ContractId": contract.id}
    tx.update([deal], values)


def edit_contract(org: Org, tx: Transaction) -> None:
    """Sign a contract that is ready, or change its terms."""
    contract = org.pick("Contract")
    if contract is None:
        return
    today, rng = tx.committed_at.date(), org.rng
    if contract.get("Status") == "Draft":
        tx.update([contract], {"Status": "In Approval Process"})
    elif contract.get("Status") == "In Approval Process":
        tx.update([contract], {"Status": "Activated", "CustomerSignedDate": today})
    elif org.chance(0.5):
        months = contract.get("ContractTerm") + 12
        tx.update([contract], {"ContractTerm": months, "EndDate": contract.get("StartDate") + timedelta(30 * months)})
    else:
        terms = f"Advance of {rng.randrange(5, 50)},000, recoupable; audit once a year."
        tx.update([contract], {"SpecialTerms": None if contract.get("SpecialTerms") else terms})


def _stage(number: int) -> dict[str, Any]:
    name, probability, forecast = _STAGES[number]
    return {"StageName": name, "Probability": probability, "ForecastCategoryName": forecast}


def _closed(*, won: bool) -> dict[str, Any]:
    return {
        "StageName": "Closed Won" if won else "Closed Lost",
        "Probability": 100 if won else 0,
        "ForecastCategoryName": "Closed" if won else "Omitted",
        "IsClosed": True,
        "IsWon": won,
    }


def _amount(org: Org, currency: str) -> Decimal | int:
    """Return a sum with its cents, where the currency has them."""
    if currency == _CURRENCY_WITHOUT_CENTS:
        return org.rng.randrange(50, 9_000) * 10_000
    return Decimal(org.rng.randrange(100_000, 40_000_000)).scaleb(-2)
