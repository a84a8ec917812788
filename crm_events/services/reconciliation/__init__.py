"""Reconciliation: what Salesforce, the log and the work on it say of one another, compared on a schedule."""
