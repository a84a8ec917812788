"""The HTTP interface: events in, entities and raw history out."""
