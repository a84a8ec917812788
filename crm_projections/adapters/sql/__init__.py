"""The read model and the outbox log on SQLite and PostgreSQL. Their tables are private to them."""
