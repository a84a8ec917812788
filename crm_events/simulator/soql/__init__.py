"""The part of SOQL that we send: text to a query, and a query to SQL over the org's records."""

from crm_events.simulator.soql.errors import SoqlError
from crm_events.simulator.soql.parser import parse
from crm_events.simulator.soql.query import Query

__all__ = ["Query", "SoqlError", "parse"]
