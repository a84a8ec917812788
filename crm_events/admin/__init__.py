"""The write side's pages in the console: deliveries, dead letters, notices, operator actions; all to be read."""

from crm_events.admin import actions, dead_letters, deliveries, notices

__all__ = ["actions", "dead_letters", "deliveries", "notices"]
