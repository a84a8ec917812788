"""Deals and contracts: opened, advanced stage by stage, won with a contract or lost."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm_events.simulator.changes import Transaction
from crm_events.simulator.life import names
from crm_events.simulator.life.notes import note_line
from crm_events.simulator.life.scene import Scene
from crm_events.simulator.records import Record

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


def new_deal(scene: Scene, account: Record, today: date) -> Record:
    """Return a deal with a company, not yet created."""
    rng, company = scene.rng, scene.company(account)
    fields: dict[str, Any] = {
        "AccountId": account.id,
        "Name": f"{company.name} – {rng.choice(_SUBJECTS)}",
        "Type": rng.choice(_TYPES),
        "LeadSource": rng.choice(SOURCES),
        "CloseDate": today + timedelta(days=rng.randint(20, 160)),
        "Amount": _amount(scene, company.place.currency),
        "CurrencyIsoCode": company.place.currency,
        "IsClosed": False,
        "IsWon": False,
        **_stage(rng.randrange(2)),
    }
    if scene.chance(0.3):
        fields["Description"] = note_line(rng, names.FIRST_NAMES)
    return Record("Opportunity", scene.mint.record_id("Opportunity"), fields)


def new_contract(scene: Scene, account: Record, today: date) -> Record:
    """Return a contract in draft with a company, not yet created."""
    rng = scene.rng
    months = rng.choice((6, 12, 12, 24, 36))
    fields: dict[str, Any] = {
        "AccountId": account.id,
        "ContractNumber": f"{rng.randrange(10**8):08d}",
        "Status": "Draft",
        "StartDate": today,
        "EndDate": today + timedelta(days=months * 30),
        "ContractTerm": months,
        "BillingAddress": names.address(rng, scene.company(account).place),
        "Description": note_line(rng, names.FIRST_NAMES),
    }
    if scene.chance(0.4):
        fields["SpecialTerms"] = f"Notice of {rng.choice((30, 60, 90))} days; statements each quarter."
    return Record("Contract", scene.mint.record_id("Contract"), fields)


def open_deal(scene: Scene, tx: Transaction) -> None:
    """Begin to negotiate with a company."""
    account = scene.pick("Account", lambda record: not record.is_person)
    if account is not None:
        tx.create(new_deal(scene, account, tx.made_at.date()))


def advance_deal(scene: Scene, tx: Transaction) -> None:
    """Bring a deal to its next stage, to its end, or change its terms."""
    deal = scene.pick("Opportunity", lambda record: not record.get("IsClosed"))
    if deal is None:
        return
    stage = _NAMES.index(deal.get("StageName")) if deal.get("StageName") in _NAMES else -1
    if scene.chance(0.12):
        tx.update([deal], {**_closed(won=False), "CloseDate": tx.made_at.date(), "NextStep": None})
    elif scene.chance(0.3):
        tx.update([deal], {"Amount": _amount(scene, str(deal.get("CurrencyIsoCode")))})
    elif stage + 1 < len(_STAGES):
        tx.update([deal], {**_stage(stage + 1), "NextStep": scene.rng.choice(_NEXT_STEPS)})
    else:
        _win(scene, tx, deal)


def _win(scene: Scene, tx: Transaction, deal: Record) -> None:
    """Close a deal; the contract made of it is created in the same transaction."""
    today = tx.made_at.date()
    values: dict[str, Any] = {**_closed(won=True), "CloseDate": today, "NextStep": None}
    account = scene.find("Account", deal.get("AccountId"))
    if account is not None:
        values["ContractId"] = tx.create(new_contract(scene, account, today)).id
    tx.update([deal], values)


def edit_contract(scene: Scene, tx: Transaction) -> None:
    """Sign a contract that is ready, or change its terms."""
    contract = scene.pick("Contract")
    if contract is None:
        return
    today, rng = tx.made_at.date(), scene.rng
    if contract.get("Status") == "Draft":
        tx.update([contract], {"Status": "In Approval Process"})
    elif contract.get("Status") == "In Approval Process":
        tx.update([contract], {"Status": "Activated", "CustomerSignedDate": today})
    elif scene.chance(0.5):
        months = (contract.get("ContractTerm") or 0) + 12
        start = contract.day("StartDate") or today
        tx.update([contract], {"ContractTerm": months, "EndDate": start + timedelta(30 * months)})
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


def _amount(scene: Scene, currency: str) -> Decimal | int:
    """Return a sum with its cents, where the currency has them."""
    if currency == _CURRENCY_WITHOUT_CENTS:
        return scene.rng.randrange(50, 9_000) * 10_000
    return Decimal(scene.rng.randrange(100_000, 40_000_000)).scaleb(-2)
