"""Salesforce itself, read through simple-salesforce by REST and Bulk API 2.0."""
