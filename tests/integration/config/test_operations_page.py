import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from config.metrics.collector import ServiceCollector
from crm_events.backends import api_budget
from crm_events.ports.crm_source import ApiUsage

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
NOW = datetime(2026, 10, 6, 8, tzinfo=UTC)


@pytest.mark.django_db
def test_names_only_figures_that_there_are() -> None:
    api_budget.cache_clear()
    api_budget().note(ApiUsage(1, 2), NOW)
    known = {family.name for family in ServiceCollector(NOW).collect()}
    api_budget.cache_clear()
    assert set(re.findall(r"\bcrm_\w+", PAGE.read_text())) <= known


def test_gives_rules_that_can_be_read() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    rules = yaml.safe_load(text)["groups"][0]["rules"]
    assert all({"alert", "expr", "annotations"} <= set(rule) for rule in rules)
