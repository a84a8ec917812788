"""The read model on OpenSearch: documents, generations, searches, provisioning."""
