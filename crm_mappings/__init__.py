"""Declared mappings from Salesforce records to normalized entities."""
