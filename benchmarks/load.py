"""The changes that the benchmarks send: accounts with some forty fields on creation, updates of a few after it."""

import json
from collections.abc import Iterator
from typing import Any

from crm_events.domain.identifiers import id_checksum

START_MS = 1_791_271_200_000


def account_id(number: int) -> str:
    """Return the id of the n-th account."""
    id15 = f"001Qy{number:010d}"
    return id15 + id_checksum(id15)


def change(account: int, step: int) -> dict[str, Any]:
    """Return the n-th change of an account in the relay's envelope: step 0 creates it, others update five fields."""
    timestamp = START_MS + step * 60_000
    fields = _created(account) if step == 0 else _updated(account, step)
    header = {
        "commitNumber": timestamp * 1_000_000 + account,
        "commitUser": "005Qy000001HbZpIAK",
        "sequenceNumber": 1,
        "entityName": "Account",
        "changeType": "UPDATE" if step else "CREATE",
        "changedFields": list(fields) if step else [],
        "changeOrigin": "com/salesforce/api/rest/66.0;client=OrderDesk",
        "transactionKey": f"{account:08x}-{step:04x}-44fe-b6aa-1f0e2d3c4b5a",
        "commitTimestamp": timestamp,
        "recordIds": [account_id(account)],
    }
    return {
        "version": "0",
        "id": f"3b0f6c1e-77aa-4d52-{step:04x}-{account:012x}",
        "detail-type": "AccountChangeEvent",
        "source": "aws.partner/salesforce.com/00DQy0000008ZxYMAU/0YLQy0000000kPmOAI",
        "account": "210987654321",
        "time": "2026-10-06T07:20:09Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "payload": {"ChangeEventHeader": header, **fields},
            "schemaId": "q7Vn2LxR0sTbYw4KdM9aEg",
            "id": "e8",
        },
    }


def _created(account: int) -> dict[str, Any]:
    return {
        "Name": f"Lindqvist Marine {account} AB",
        "Phone": f"+46 8 555 {account:04d}",
        "Industry": "Shipping",
        "Website": f"https://marine-{account}.example.com",
        "Account_Status__c": "Active",
        "Account_Priority__c": "High",
        "Business_Type__c": "Ferry;Dredging",
        "CurrencyIsoCode": "SEK",
        "BillingAddress": {"Street": "Kajgatan 9", "City": "Visby", "PostalCode": "62156", "Country": "Sweden"},
        "Description": "A company of ferries and dredgers, customer since long ago. " * 4,
        "OwnerId": "005Qy000001HbZpIAK",
        "CreatedDate": "2026-10-06T07:20:05.000Z",
        "LastModifiedDate": "2026-10-06T07:20:05.000Z",
        **{f"Custom_{number}__c": f"value {number} of account {account}" for number in range(20)},
    }


def _updated(account: int, step: int) -> dict[str, Any]:
    return {
        "Phone": f"+46 8 {step:04d} {account:04d}",
        "Account_Status__c": ("Active", "Paused", "Closed")[step % 3],
        "BillingAddress": {"City": ("Visby", "Slite", "Lund")[step % 3]},
        "Custom_1__c": f"step {step}",
        "LastModifiedDate": f"2026-10-06T07:{step // 60 % 60:02d}:{step % 60:02d}.000Z",
    }


def bodies(changes: Iterator[dict[str, Any]] | list[dict[str, Any]], size: int) -> list[bytes]:
    """Return the changes as request bodies of ``size`` each."""
    listed = list(changes)
    return [json.dumps(listed[start : start + size]).encode() for start in range(0, len(listed), size)]


def history(accounts: range, steps: range) -> list[dict[str, Any]]:
    """Return the given steps of the given accounts, step by step, as an org changes."""
    return [change(account, step) for step in steps for account in accounts]
