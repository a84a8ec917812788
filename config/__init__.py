"""Settings, addresses, Celery and everything else that wires the service together."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
