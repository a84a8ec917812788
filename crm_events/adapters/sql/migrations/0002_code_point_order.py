"""Let PostgreSQL compare keys and positions by code point, as SQLite does, whatever the database's language."""

from django.db import migrations

COLUMNS = [
    ("crm_events_sql_stream", "entity_name", 100),
    ("crm_events_sql_stream", "entity_id", 18),
    ("crm_events_sql_stream", "newest_position", 100),
    ("crm_events_sql_event", "position", 100),
    ("crm_events_sql_state", "position", 100),
]


def set_collation(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, column, length in COLUMNS:
        schema_editor.execute(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({length}) COLLATE "C"')


class Migration(migrations.Migration):
    dependencies = [("crm_events_sql", "0001_initial")]
    operations = [migrations.RunPython(set_collation, migrations.RunPython.noop)]
