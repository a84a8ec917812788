"""The event store on DynamoDB. Its tables are private to it."""
