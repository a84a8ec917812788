"""The write side's operational tables: deliveries, notices, dead letters, runs, operator actions, counts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Delivery(models.Model):
    """One HTTP request of events, stored whole before it was answered (the inbox).

    ``attempts`` is counted when the delivery is claimed, before any work; ``claimed_until`` is the end of the claim,
    or the time before which a failed delivery is not tried again.
    ``outcomes`` holds one entry for each item, or for each of its records:
    ``[index, outcome, entity, entity_id, version, detail]``.
    """

    class Status(models.TextChoices):
        """How far the delivery has come; ``projected`` is worked out from the heads of its streams."""

        ACCEPTED = "accepted"
        RECORDED = "recorded"

    id = models.CharField(primary_key=True, max_length=32)
    received_at = models.DateTimeField()
    key_name = models.CharField(max_length=100, blank=True)
    body = models.TextField()
    item_count = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACCEPTED)
    attempts = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(null=True, blank=True)
    outcomes = models.JSONField(default=list)
    last_error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], condition=Q(status="accepted"), name="delivery_unfinished"),
            models.Index(fields=["id"], condition=Q(status="accepted", attempts__gt=0), name="delivery_failed"),
            models.Index(fields=["recorded_at"], condition=Q(status="recorded"), name="delivery_finished"),
        ]

    def __str__(self) -> str:
        return self.id


class Notice(models.Model):
    """A message of Salesforce about a whole object (an overflow, a wildcard id); it asks for a resync."""

    id = models.CharField(primary_key=True, max_length=32)
    entity_name = models.CharField(max_length=100)
    event_type = models.CharField(max_length=20)
    reason = models.CharField(max_length=20)
    record_id = models.CharField(max_length=32)
    order_key = models.CharField(max_length=64)
    raw = models.TextField()
    delivery_id = models.CharField(max_length=32)
    delivery_index = models.PositiveIntegerField()
    received_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-received_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["entity_name", "received_at"], condition=Q(resolved_at=None), name="notice_open"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_name}: {self.reason}"


class DeadLetter(models.Model):
    """An event or a stream the system could not handle, kept until somebody retries or discards it."""

    class Kind(models.TextChoices):
        """What could not be handled."""

        EVENT = "event", "Event"
        STREAM = "stream", "Record"

    class Resolution(models.TextChoices):
        """How it ended."""

        PASSED = "passed", "Passed on retry"
        DISCARDED = "discarded", "Discarded"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    code = models.CharField(max_length=50)
    detail = models.TextField()
    fingerprint = models.CharField(max_length=16, db_index=True)
    entity_name = models.CharField(max_length=100, blank=True)
    record = models.CharField(max_length=100, blank=True)
    delivery_id = models.CharField(max_length=32, blank=True)
    delivery_index = models.PositiveIntegerField(default=0)
    payload = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=1)
    not_before = models.DateTimeField(null=True, blank=True)
    first_failed_at = models.DateTimeField()
    last_failed_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=10, choices=Resolution.choices, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        permissions = [  # noqa: RUF012  # a Meta's own type
            ("retry_deadletter", "Can retry dead letters"),
            ("discard_deadletter", "Can discard dead letters"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["delivery_id", "delivery_index", "record"], condition=Q(kind="event"), name="dead_letter_event"
            ),
            models.UniqueConstraint(
                fields=["entity_name", "record"],
                condition=Q(kind="stream", resolved_at=None),
                name="dead_letter_stream",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["code"], condition=Q(resolved_at=None), name="dead_letter_open"),
            models.Index(fields=["entity_name", "record"], name="dead_letter_record"),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.entity_name} {self.record})" if self.record else self.code


class Record(models.Model):
    """No table: the right to look at records, whichever engine keeps their events and documents."""

    class Meta:
        managed = False
        default_permissions = ("view",)

    def __str__(self) -> str:
        return "record"


class Run(models.Model):
    """A long piece of work: its row is the truth about it, the task that carries it may be lost.

    ``parameters`` say what to do, ``cursor`` how far it came, ``counts`` what was done so far, ``total`` how much
    there was at the start (null while unknown). A claim whose heartbeat is old may be taken over. A queued run rests
    until ``not_before``; ``worked_seconds`` is how long it was worked on so far, over all its workers.
    """

    class Status(models.TextChoices):
        """Where the run stands."""

        QUEUED = "queued"
        RUNNING = "running"
        PAUSED = "paused"
        CANCELLED = "cancelled"
        FAILED = "failed"
        DONE = "done"

    kind = models.CharField(max_length=20)
    target = models.CharField(max_length=200, blank=True)
    parameters = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    cursor = models.JSONField(null=True, blank=True)
    counts = models.JSONField(default=dict)
    total = models.PositiveBigIntegerField(null=True, blank=True)
    claim = models.CharField(max_length=64, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    pause_requested = models.BooleanField(default=False)
    not_before = models.DateTimeField(null=True, blank=True)
    worked_seconds = models.FloatField(default=0.0)
    error = models.TextField(blank=True)
    log = models.JSONField(default=list)
    started_by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        permissions = [  # noqa: RUF012  # a Meta's own type
            ("start_run", "Can start backfills and checks"),
            ("steer_run", "Can pause, resume and cancel runs"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["status", "kind", "target", "id"], name="run_by_status"),
            models.Index(fields=["finished_at"], name="run_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target} #{self.pk}"


class OperatorAction(models.Model):
    """What an operator did: who, when, what, to what, why. Rows are only ever added."""

    at = models.DateTimeField()
    who = models.CharField(max_length=150)
    verb = models.CharField(max_length=50)
    target = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["target"], name="action_target")]

    def __str__(self) -> str:
        return f"{self.who} {self.verb} {self.target}"


class Drift(models.Model):
    """A difference that a check found, why it is there, and what was done about it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="differences")
    check_name = models.CharField(max_length=20)
    cause = models.CharField(max_length=20)
    subject = models.CharField(max_length=150)
    fields = models.JSONField(default=list)
    detail = models.TextField(blank=True)
    remedy = models.CharField(max_length=20)
    found_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "drift"
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "check_name", "cause", "subject"], name="drift_once_a_run"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["found_at"], name="drift_found"),
            models.Index(fields=["subject"], name="drift_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.cause}"


class Bookmark(models.Model):
    """How far a check that goes on from run to run has come."""

    name = models.CharField(primary_key=True, max_length=150)
    at = models.JSONField(null=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Feed(models.Model):
    """The last event of an object that came by change data capture.

    ``last_commit`` is when Salesforce committed it, ``last_arrival`` when it came, ``stalled_since`` when Salesforce is
    known to have changed records of the object of which no event came.
    """

    entity_name = models.CharField(primary_key=True, max_length=100)
    last_commit = models.DateTimeField()
    last_arrival = models.DateTimeField()
    stalled_since = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.entity_name


class OutcomeCount(models.Model):
    """How many events had an outcome within one minute; every process adds to the same rows."""

    minute = models.DateTimeField()
    outcome = models.CharField(max_length=20)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["minute", "outcome"], name="outcome_count_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.outcome}: {self.count}"


class Lease(models.Model):
    """A right that one process at a time holds, until it gives it back or its time is over."""

    name = models.CharField(primary_key=True, max_length=50)
    holder = models.CharField(max_length=32, blank=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ApiUse(models.Model):
    """How many API calls the org made in 24 hours, as Salesforce told it last, and our own calls since; one row."""

    name = models.CharField(primary_key=True, max_length=20)
    used = models.PositiveBigIntegerField()
    limit = models.PositiveBigIntegerField()
    told_at = models.DateTimeField()
    calls_since = models.PositiveBigIntegerField(default=0)
    looked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.used} of {self.limit}"
