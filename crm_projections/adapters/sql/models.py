"""Private tables of the SQL read model and the outbox log; the tables of documents are made beside them at run time."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class GenerationRow(models.Model):
    """A generation of an entity's documents; its key names the tables that hold them.

    The row outlives the tables (``dropped``), so that no number is given twice.
    """

    entity = models.CharField(max_length=100)
    number = models.IntegerField()
    fields = models.JSONField()
    mapping = models.CharField(max_length=100)
    state = models.CharField(max_length=20)
    serves = models.BooleanField(default=False)
    dropped = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "crm_projections_sql_generation"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["entity", "number"], name="crm_generation_number"),
            models.UniqueConstraint(fields=["entity"], condition=Q(serves=True), name="crm_generation_serves"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.number}"


class OutboxMessage(models.Model):
    """A message as it was handed over, kept in order of arrival; ``stream`` is empty if its detail names none."""

    message_id = models.CharField(max_length=255, unique=True)
    entity = models.CharField(max_length=100)
    stream = models.CharField(max_length=255, blank=True)
    detail = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "crm_projections_sql_outbox"
        verbose_name = "outbox message"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["stream", "id"], name="crm_outbox_stream")]

    def __str__(self) -> str:
        return self.message_id
