"""What the console holds beside the write side's own rows: records, runs, feeds, differences, users, schedules."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django_celery_beat.admin import CrontabScheduleAdmin as BaseCrontabScheduleAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as BasePeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from config.console.differences import DriftAdmin
from config.console.feeds import FeedAdmin
from config.console.records import RecordAdmin
from config.console.runs.pages import RunAdmin
from crm_events.models import Drift, Feed, Record, Run

# Other packages register these on Django's own ModelAdmin, which looks broken inside Unfold; and nobody schedules
# by sunrise here, or once at a moment.
for _model in (User, Group, PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(_model)

for _page_of, _page in ((Record, RecordAdmin), (Run, RunAdmin), (Feed, FeedAdmin), (Drift, DriftAdmin)):
    admin.site.register(_page_of, _page)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """People who use the console."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """What people may see and do."""


class _TaskSelectWidget(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]
    pass


class ScheduleForm(PeriodicTaskForm):  # type: ignore[misc]
    """When a task runs, on Unfold's widgets."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = _TaskSelectWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BasePeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """What runs by the clock, and when."""

    form = ScheduleForm
    # The package's own form brings a script inside the page, which the console's security policy refuses.
    change_form_template = None
    date_hierarchy = None
    list_display = ("name", "enabled", "scheduler", "last_run_at")
    list_filter = ()
    fieldsets = (
        (None, {"fields": ("name", "regtask", "task", "enabled", "description")}),
        ("When", {"fields": ("interval", "crontab", "start_time", "last_run_at", "one_off")}),
        ("With what", {"fields": ("args", "kwargs")}),
        ("How", {"fields": ("expires", "expire_seconds", "queue", "priority")}),
    )
    readonly_fields = ("last_run_at",)


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):  # type: ignore[misc]
    """Every so many seconds, minutes, hours or days."""


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(BaseCrontabScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    """By minute, hour, day and month."""

    inlines = ()
