"""The org over HTTP: the calls of Salesforce's APIs, and a page of its own."""
