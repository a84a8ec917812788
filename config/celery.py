"""The Celery application: three lanes, so a bulk job never starves live changes."""

import os

from celery import Celery, Task
from celery.signals import task_postrun, task_prerun, worker_init
from django.conf import settings
from django.db import close_old_connections
from django_structlog.celery.receivers import CeleryReceiver

from config import memory
from config.liveness import watch_workers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("client-management")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
watch_workers(app)

# Binds the task's id to its log lines, and the ids of the request or task that sent it.
_receiver = CeleryReceiver()
_receiver.connect_worker_signals()


def _drop_broken_connections(task: Task, **_: object) -> None:
    # A worker of its own does more (it closes them all); one inside the web process keeps what still works.
    # A task called like a function stays inside its caller's transaction.
    if settings.BROKER_IS_EMBEDDED and not task.request.is_eager:
        close_old_connections()


def _settle(**_: object) -> None:
    # Before the worker forks: what is frozen stays shared by all its processes.
    memory.settle()


task_prerun.connect(_drop_broken_connections)
task_postrun.connect(_drop_broken_connections)
worker_init.connect(_settle)
