"""The drill: a simulated Salesforce goes wrong in every way while the service is killed, and nothing may be lost."""
