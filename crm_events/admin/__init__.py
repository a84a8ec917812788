"""The write side's pages in the console: deliveries, dead letters, runs, notices, operator actions; all to be read."""

from crm_events.admin import actions, dead_letters, deliveries, notices, runs

__all__ = ["actions", "dead_letters", "deliveries", "notices", "runs"]
