from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from kombu.utils.imports import symbol_by_name

from config.celery import app
from config.schedules import KeepingScheduler
from tests.integration.console.pages import a_visitor, an_administrator, text_of

# Beat closes connections on which a transaction is open.
pytestmark = pytest.mark.django_db(transaction=True)
SCHEDULES = "/admin/django_celery_beat/periodictask/"


@pytest.fixture(autouse=True)
def _started(transactional_db: None) -> None:  # noqa: ARG001  # schedules are kept in the database
    """Begin with the database of a service that was started once."""
    start()


def start() -> KeepingScheduler:
    """Start beat's scheduler up to its first tick; it shall write nothing at the interpreter's end."""
    scheduler = KeepingScheduler(app=app)
    scheduler._finalize.cancel()
    return scheduler


def test_is_what_beat_runs_with() -> None:
    assert issubclass(symbol_by_name(settings.CELERY_BEAT_SCHEDULER), KeepingScheduler)


def test_a_new_database_begins_with_the_settings() -> None:
    assert set(settings.CELERY_BEAT_SCHEDULE) <= set(PeriodicTask.objects.values_list("name", flat=True))
    ids = PeriodicTask.objects.get(name="check ids")
    assert (ids.crontab.hour, ids.crontab.minute, ids.args) == ("2", "30", '["ids"]')
    assert PeriodicTask.objects.get(name="sweep runs").interval.every == 10


def test_messages_of_tasks_that_nobody_takes_do_not_pile_up_for_ever() -> None:
    assert not PeriodicTask.objects.filter(name__in=settings.CELERY_BEAT_SCHEDULE, expire_seconds=None).exists()


def test_a_schedule_changed_in_the_console_is_kept_at_the_next_start() -> None:
    task = PeriodicTask.objects.get(name="check windows")
    slow, _ = IntervalSchedule.objects.get_or_create(every=2, period="hours")
    _change(an_administrator(), task, interval=str(slow.pk))
    scheduler = start()
    assert PeriodicTask.objects.get(name="check windows").interval == slow
    assert scheduler.schedule["check windows"].schedule.run_every == timedelta(hours=2)


def test_an_interval_can_become_a_time_of_day() -> None:
    task = PeriodicTask.objects.get(name="check windows")
    at_six, _ = CrontabSchedule.objects.get_or_create(hour="6", minute="15")
    _change(an_administrator(), task, interval="", crontab=str(at_six.pk))
    start()
    task.refresh_from_db()
    assert (task.interval, task.crontab) == (None, at_six)


def test_a_schedule_switched_off_stays_off() -> None:
    PeriodicTask.objects.filter(name="check ids").update(enabled=False)
    assert "check ids" not in start().schedule


def test_a_schedule_that_was_removed_comes_back() -> None:
    PeriodicTask.objects.filter(name="check ids").delete()
    start()
    assert PeriodicTask.objects.filter(name="check ids", enabled=True).exists()


def test_a_schedule_is_shown_on_the_consoles_own_form() -> None:
    task = PeriodicTask.objects.get(name="check windows")
    page = text_of(an_administrator(), f"{SCHEDULES}{task.pk}/change/")
    assert '<main id="cm-main"' in page
    assert "crm_events.tasks.start_checks" in page


def test_who_may_only_look_changes_nothing() -> None:
    task = PeriodicTask.objects.get(name="check windows")
    visitor = a_visitor("django_celery_beat.view_periodictask")
    assert visitor.get(f"{SCHEDULES}{task.pk}/change/").status_code == 200
    assert visitor.post(f"{SCHEDULES}{task.pk}/change/", _form(task)).status_code == 403


def _change(client: Client, task: PeriodicTask, **values: str) -> None:
    answer = client.post(f"{SCHEDULES}{task.pk}/change/", _form(task) | values)
    assert answer.status_code == 302, answer.content.decode()


def _form(task: PeriodicTask) -> dict[str, str]:
    return {
        "name": task.name,
        "task": task.task,
        "regtask": "",
        "enabled": "on",
        "description": "",
        "interval": str(task.interval_id or ""),
        "crontab": str(task.crontab_id or ""),
        "args": task.args,
        "kwargs": task.kwargs,
        "expire_seconds": str(task.expire_seconds or ""),
    }
