"""The event store on SQLite and PostgreSQL. Its tables are private to it."""
