"""The credentials of callers."""

from typing import ClassVar

from django.db import models

MAX_NAME_LENGTH = 100


class Scope(models.TextChoices):
    """What a key allows. ``operate`` includes ``read``."""

    INGEST = "ingest", "Post events and read deliveries"
    READ = "read", "Read everything, metrics included"
    OPERATE = "operate", "Start and steer runs, and read"


class ApiKey(models.Model):
    """A caller's key, kept as its SHA-256; the key itself is shown once, when it is made.

    ``prefix`` is its beginning, to tell keys apart. ``last_used_at`` is at most a minute behind.
    """

    name = models.CharField(max_length=MAX_NAME_LENGTH)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_authenticated(self) -> bool:
        """Say that a request with this key is not anonymous."""
        return True

    def allows(self, scope: str) -> bool:
        """Say whether the key has the scope, or one that includes it."""
        return scope in self.scopes or (scope == Scope.READ and Scope.OPERATE in self.scopes)
