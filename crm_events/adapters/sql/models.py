"""Private tables of the SQL event store. Times are epoch microseconds, so both engines keep them alike."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class StreamRow(models.Model):
    """The head of a stream."""

    entity_name = models.CharField(max_length=100)
    entity_id = models.CharField(max_length=18)
    version = models.BigIntegerField(default=0)
    newest_position = models.CharField(max_length=100, default="")
    projected_version = models.BigIntegerField(default=0)
    published_version = models.BigIntegerField(default=0)
    dirty = models.BooleanField(default=False)
    blocked = models.BooleanField(default=False)
    pending_since = models.BigIntegerField(null=True)

    class Meta:
        db_table = "crm_events_sql_stream"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["entity_name", "entity_id"], name="crm_stream_key"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["pending_since", "id"],
                condition=Q(pending_since__isnull=False, blocked=False),
                name="crm_stream_pending",
            ),
            models.Index(fields=["entity_name", "entity_id"], condition=Q(dirty=True), name="crm_stream_dirty"),
            models.Index(fields=["entity_name", "entity_id"], condition=Q(blocked=True), name="crm_stream_blocked"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_name}#{self.entity_id}"


class EventRow(models.Model):
    """A raw event; ``position`` is its order key and event id, so its text order is the order of the fold."""

    stream_id = models.BigIntegerField()
    position = models.CharField(max_length=100)
    version = models.BigIntegerField()
    event_type = models.CharField(max_length=20)
    source = models.CharField(max_length=20)
    late = models.BooleanField()
    recorded_at = models.BigIntegerField()
    delivery_id = models.CharField(max_length=32)
    delivery_index = models.IntegerField()
    raw = models.TextField()

    class Meta:
        db_table = "crm_events_sql_event"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["stream_id", "position"], name="crm_event_position"),
            models.UniqueConstraint(fields=["stream_id", "version"], name="crm_event_version"),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id} v{self.version}"


class StateRow(models.Model):
    """The saved state of a stream."""

    stream_id = models.BigIntegerField(primary_key=True)
    version = models.BigIntegerField()
    position = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    body = models.BinaryField()

    class Meta:
        db_table = "crm_events_sql_state"

    def __str__(self) -> str:
        return f"{self.stream_id} v{self.version}"
