"""The record of what operators did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_events.models import OperatorAction


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts, and why."""

    name: str
    reason: str = ""


def record_action(
    operator: Operator, verb: str, target: str, now: datetime, facts: Mapping[str, Any] | None = None
) -> None:
    """Write down who did what to what, when and why."""
    OperatorAction.objects.create(
        at=now, who=operator.name, verb=verb, target=target[:200], reason=operator.reason, facts=dict(facts or {})
    )
