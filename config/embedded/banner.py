"""What the server says when it starts: where everything is and how to begin."""

import json
from pathlib import Path

from django.urls import reverse

from config.embedded.access import Access

# A change as Event Relay delivers it, shortened to what the service needs.
_EXAMPLE = {
    "detail": {
        "payload": {
            "ChangeEventHeader": {
                "entityName": "Account",
                "recordIds": ["001000000000001AAA"],
                "changeType": "CREATE",
                "transactionKey": "00000000-0000-0000-0000-000000000001",
                "sequenceNumber": 1,
                "commitTimestamp": 1767225600000,
                "commitNumber": 1767225600000000001,
                "changedFields": [],
            },
            "Name": "First Client",
            "BillingAddress": {"City": "Athens", "Country": "Greece"},
        }
    }
}


def banner(url: str, access: Access, data_dir: Path, simulator: str = "") -> str:
    """Return the text, ready to print; ``simulator`` is the address of its page, if it runs."""
    password = access.password or "as somebody set it (manage.py changepassword admin sets another)"
    post = _curl(url + reverse("events"), access.keys["ingest"], json.dumps(_EXAMPLE, separators=(",", ":")))
    read = _curl(f"{url}{reverse('clients')}?q=first", access.keys["read"])
    return f"""
Client Management Service
  Console    {url}{reverse("admin:index")}
  Log in as  {access.login}
  Password   {password}
  API docs   {url}{reverse("docs")}
  Data       {data_dir}
{_salesforce(simulator)}
Post a change:
  {post}

Read the client it makes:
  {read}

Ctrl-C stops the service; the next start finds everything as it was.
"""


def _salesforce(page: str) -> str:
    return f"  Salesforce {page} (a simulated org: change its records, let things go wrong)\n" if page else ""


def _curl(url: str, key: str, body: str = "") -> str:
    command = f"curl -H 'Authorization: Bearer {key}' '{url}'"
    return f"{command} -H 'Content-Type: application/json' -d '{body}'" if body else command
