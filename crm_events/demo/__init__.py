"""A small invented Salesforce org and the changes it sends: the same from the same seed. Plain Python."""

from crm_events.demo.generator import DemoOrg

__all__ = ["DemoOrg"]
