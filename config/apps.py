"""The wiring as a Django app: it brings the commands that set up and serve, and checks of the settings."""

from django.apps import AppConfig


class ServiceConfig(AppConfig):
    """First run, the one-process server, health, metrics."""

    name = "config"
    label = "service"
    verbose_name = "Service"

    def ready(self) -> None:
        """Register the checks and what listens to requests and tasks."""
        from config import checks, request_logs  # noqa: F401, PLC0415  # needs loaded apps
        from config.metrics.tasks import observe_tasks  # noqa: PLC0415  # as above

        observe_tasks()
